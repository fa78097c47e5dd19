/**
 * The encoding of proof objects: deterministic CBOR, read strictly. Whatever a writer would not have written is refused, so that no
 * object has two forms.
 */

const [UINT, NEGATIVE, BYTES, TEXT, ARRAY, MAP] = [0, 1, 2, 3, 4, 5] as const;
const [FALSE, TRUE, NULL, DOUBLE] = [0xf4, 0xf5, 0xf6, 0xfb] as const;
const SMALLEST: Record<number, [number, bigint]> = { 24: [1, 24n], 25: [2, 0x100n], 26: [4, 0x1_0000n], 27: [8, 0x1_0000_0000n] };
const U64_MAX = 2n ** 64n - 1n;
const U32_MAX = 2 ** 32 - 1;
const VALUE_DEPTH_MAX = 64;

/** Bytes that are not the one form of the object they should be. */
export class EncodingError extends Error {}
/** An object of another version of the format. */
export class VersionError extends EncodingError {}

/** Reads items from bytes, one after another. */
export class Reader {
  offset = 0;

  constructor(readonly data: Uint8Array) {}

  fail(problem: string): EncodingError {
    return new EncodingError(`byte ${this.offset}: ${problem}`);
  }

  take(count: number): Uint8Array {
    const end = this.offset + count;
    if (end > this.data.length) throw this.fail("the bytes end in the middle of an item");
    const taken = this.data.subarray(this.offset, end);
    this.offset = end;
    return taken;
  }

  peek(): number {
    return this.data[this.offset] ?? -1;
  }

  get atText(): boolean {
    return this.peek() >> 5 === TEXT;
  }

  end(): void {
    if (this.offset !== this.data.length) throw this.fail("there are bytes after the object");
  }

  head(major: number): bigint {
    const first = this.take(1)[0] ?? 0;
    const short = first & 0x1f;
    if (first >> 5 !== major) throw this.fail("another type of item was expected");
    if (short < 24) return BigInt(short);
    const form = SMALLEST[short];
    if (!form) throw this.fail("a length without an end is not allowed");
    const value = this.take(form[0]).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    if (value < form[1]) throw this.fail("a number is not in its shortest form");
    return value;
  }

  big(most: bigint = U64_MAX): bigint {
    const value = this.head(UINT);
    if (value > most) throw this.fail("a number is out of range");
    return value;
  }

  uint(most: number = U32_MAX): number {
    return Number(this.big(BigInt(most)));
  }

  octets(most: number): Uint8Array {
    return this.take(this.#length(BYTES, most));
  }

  fixed(size: number): Uint8Array {
    const value = this.octets(size);
    if (value.length !== size) throw this.fail(`a byte string is not ${size} bytes long`);
    return value;
  }

  text(most: number): string {
    const bytes = this.take(this.#length(TEXT, most));
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw this.fail("text is not UTF-8");
    }
  }

  flag(): true {
    if (this.take(1)[0] !== TRUE) throw this.fail("a flag that is not set is left out");
    return true;
  }

  array(most: number): number {
    return this.#count(ARRAY, most);
  }

  map(most: number): number {
    return this.#count(MAP, most);
  }

  version(): void {
    const value = this.big();
    if (value !== 0n) {
      throw new VersionError(`this is version ${value} of the format; this program knows version 0 only`);
    }
  }

  list<T>(most: number, read: () => T): T[] {
    const items: T[] = [];
    for (let left = this.array(most); left > 0; left -= 1) items.push(read());
    return items;
  }

  #length(major: number, most: number): number {
    const count = this.head(major);
    if (count > BigInt(most)) throw this.fail("an item is too long");
    return Number(count);
  }

  /** Every item takes at least a byte, so a larger count is known to be false. */
  #count(major: number, most: number): number {
    const count = this.head(major);
    if (count > BigInt(Math.min(most, this.data.length - this.offset))) throw this.fail("there are too many items");
    return Number(count);
  }
}

/** Reads the fields of one object in ascending order of their keys. */
export class Fields {
  #left: number;
  #key = -1;
  #last = -1;

  constructor(readonly reader: Reader) {
    this.#left = reader.map(23);
    this.#advance();
  }

  maybe<T>(key: number, read: (reader: Reader) => T): T | undefined {
    if (this.#key !== key) return undefined;
    const value = read(this.reader);
    this.#advance();
    return value;
  }

  get<T>(key: number, read: (reader: Reader) => T): T {
    if (this.#key !== key) throw this.reader.fail(`key ${key} is missing`);
    return this.maybe(key, read) as T;
  }

  check(holds: boolean, problem: string): void {
    if (!holds) throw this.reader.fail(problem);
  }

  end(): void {
    this.check(this.#key === -1, `key ${this.#key} is unknown, repeated or out of order`);
  }

  #advance(): void {
    this.#key = -1;
    if (this.#left === 0) return;
    this.#left -= 1;
    const key = this.reader.uint();
    this.check(key > this.#last, `key ${key} is unknown, repeated or out of order`);
    this.#last = this.#key = key;
  }
}

/** The object that comes next. */
export function object<T>(reader: Reader, read: (fields: Fields) => T): T {
  const fields = new Fields(reader);
  const value = read(fields);
  fields.end();
  return value;
}

/** The object that `data` is, to the last byte. */
export function decode<T>(data: Uint8Array, most: number, read: (fields: Fields) => T): T {
  if (data.length > most) throw new EncodingError("an object is too large");
  const reader = new Reader(data);
  const value = object(reader, read);
  reader.end();
  return value;
}

/** Refuses bytes that are not the one encoding of one value of the plan language. */
export function checkValue(data: Uint8Array): void {
  const reader = new Reader(data);
  skip(reader, 0);
  reader.end();
}

function skip(reader: Reader, depth: number): void {
  const first = reader.peek();
  const major = first >> 5;
  const most = reader.data.length;
  if ((major === ARRAY || major === MAP) && depth >= VALUE_DEPTH_MAX) throw reader.fail("a value is nested too deep");
  if (first === -1) throw reader.fail("a value was expected");
  if (major === UINT || major === NEGATIVE) reader.head(major);
  else if (major === BYTES) reader.octets(most);
  else if (major === TEXT) reader.text(most);
  else if (major === ARRAY) reader.list(most, () => skip(reader, depth + 1));
  else if (major === MAP) skipMap(reader, depth);
  else if (first === DOUBLE) skipDouble(reader);
  else if (first === NULL || first === TRUE || first === FALSE) reader.take(1);
  else throw reader.fail("a value was expected");
}

function skipMap(reader: Reader, depth: number): void {
  let last: Uint8Array | undefined;
  for (let left = reader.map(reader.data.length); left > 0; left -= 1) {
    const key = new TextEncoder().encode(reader.text(reader.data.length));
    if (last && !comesBefore(last, key)) throw reader.fail("the keys of a map are out of order");
    last = key;
    skip(reader, depth + 1);
  }
}

/** Keys ascend by length, then by their bytes. */
function comesBefore(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return a.length < b.length;
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}

function skipDouble(reader: Reader): void {
  const bytes = reader.take(9);
  const value = new DataView(bytes.buffer, bytes.byteOffset + 1, 8).getFloat64(0);
  if (Number.isNaN(value) || Object.is(value, -0)) throw reader.fail("a double is not in its one form");
}

/** What `read` gives of `data`; `undefined` where it is refused. */
export function attempt<T>(data: Uint8Array, read: (reader: Reader) => T): T | undefined {
  try {
    return read(new Reader(data));
  } catch (error) {
    if (error instanceof EncodingError) return undefined;
    throw error;
  }
}
