import { create } from "@bufbuild/protobuf";
import { AmountSchema, Currency, type Amount as Message } from "./gen/orchestra/v1/common_pb.js";

const SCALES = { USD: { currency: Currency.MICRO_USD, places: 6 }, TAO: { currency: Currency.RAO, places: 9 } } as const;
const FORM = /^\s*(\d+)(?:\.(\d+))?\s*(USD|TAO)\s*$/;

/** A sum of US dollars or TAO in whole units (10^-6 USD, 10^-9 TAO), never a float. */
export class Amount {
  constructor(
    readonly units: bigint,
    readonly currency: keyof typeof SCALES,
  ) {}

  /** The amount that a text such as `0.05 USD` or `0.001 TAO` says; a `RangeError` for any other. */
  static parse(text: string): Amount {
    const found = FORM.exec(text);
    if (!found) throw new RangeError(`\`${text}\` is no amount; write it like \`0.05 USD\` or \`0.001 TAO\``);
    const [, whole = "0", part = "", name] = found;
    const currency = name as keyof typeof SCALES;
    const { places } = SCALES[currency];
    const digits = part.replace(/0+$/, "");
    if (digits.length > places) {
      throw new RangeError(`${text} is finer than 10^-${places} ${currency}, the smallest amount there is`);
    }
    const units = BigInt(whole + digits.padEnd(places, "0"));
    if (units >= 2n ** 64n) throw new RangeError(`${text} is out of range`);
    return new Amount(units, currency);
  }

  /** The amount of a message; one without a currency is no money. */
  static of(message: Message | undefined): Amount {
    const isTao = message?.currency === Currency.RAO;
    return new Amount(message?.units ?? 0n, isTao ? "TAO" : "USD");
  }

  toMessage(): Message {
    return create(AmountSchema, { units: this.units, currency: SCALES[this.currency].currency });
  }

  toString(): string {
    const { places } = SCALES[this.currency];
    const digits = this.units.toString().padStart(places + 1, "0");
    const part = digits.slice(-places).replace(/0+$/, "");
    return `${digits.slice(0, -places)}${part && "."}${part} ${this.currency}`;
  }
}
