import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, createClient, type CallOptions, type Client as Stub, type Interceptor, type Transport } from "@connectrpc/connect";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { fromRpc, ofRun, OrchestraError, ResultMismatch, Unavailable } from "./errors.js";
import { CallRequestSchema, CallService, type CallResponse, type StreamResponse } from "./gen/orchestra/v1/call_pb.js";
import type { PlanSourceSchema } from "./gen/orchestra/v1/common_pb.js";
import { LedgerService } from "./gen/orchestra/v1/ledger_pb.js";
import { RunEventKind, RunService, RunState, type Run, type RunEvent } from "./gen/orchestra/v1/run_pb.js";
import { Amount } from "./money.js";

/** Any validator of the Standard Schema interface: zod, valibot, arktype and others. */
export type Schema<T> = StandardSchemaV1<unknown, T>;

/** What a call or run may say beside its arguments. */
export interface Options<T = unknown> {
  /** What the answer is checked by; its type is the answer's. */
  result?: Schema<T>;
  /** The most it may cost, such as `0.05 USD`. What may cost more is not sent. */
  costMax?: string | Amount;
  /** Made once for one id, also when it is repeated after a broken connection; a new one where left out. */
  requestId?: string;
  signal?: AbortSignal;
}

/** What a call may say beside its arguments. */
export interface CallOptionsOf<T = unknown> extends Options<T> {
  /** Longest wait for the answer in milliseconds, 30 s where left out. */
  timeoutMs?: number;
  /** Version of the operation's entry; the newest where left out. */
  version?: string;
  /** Whether the proof bundle is to come with the answer. */
  receipt?: boolean;
}

/** What a run may say beside its inputs. */
export interface RunOptions<T = unknown> extends Options<T> {
  /** Which plan of a file that has several. */
  name?: string;
  /** How long a broken connection is tried again, milliseconds. */
  patienceMs?: number;
}

/** The answer of a call, and what it cost. */
export interface Answer<T> {
  value: T;
  cost: Amount;
  /** Whether the cost is known rather than assumed. */
  certain: boolean;
  operation: string;
  version: string;
  run: string;
  proofId: string;
  receipt: Uint8Array | undefined;
  latencyMs: number;
}

/** The result of a run, and what it cost. */
export interface Result<T> {
  value: T;
  cost: Amount;
  certain: boolean;
  run: string;
  plan: string;
  planHash: string;
  proofId: string;
}

/** An operation that was found; `price` is missing where it is not known or differs from call to call. */
export interface Hit {
  operation: string;
  version: string;
  summary: string;
  callable: boolean;
  notCallableReason: string | undefined;
  price: Amount | undefined;
  access: string;
  verified: boolean;
  reason: string;
}

/** Something that happened in a run. */
export interface Event {
  seq: number;
  time: Date | undefined;
  kind: "opened" | "node" | "attempt_sent" | "attempt_done" | "closed" | "heartbeat" | "unspecified";
  node: string;
  iteration: number[];
  state: string;
  attempt: number;
  operation: string;
  message: string;
  spent: Amount;
}

/** A plan: the text of a file, or the name of one that the server keeps. */
export type Plan = `plans/${string}` | MessageInitShape<typeof PlanSourceSchema>;

/** What `Call` waits for; longer calls go by `Stream`. */
const UNARY_TIMEOUT_MS_MAX = 50_000;
const CALL_TIMEOUT_MS = 30_000;
/** The server tells of its own timeouts; this is how much later it is given up here. */
const SLACK_MS = 10_000;
const PATIENCE_MS = 60_000;
const RETRIES = 3;

/** A connection to a server of Orchestra; `@orchestra/client/node` and `@orchestra/client/web` make one. */
export class Client {
  readonly #calls: Stub<typeof CallService>;
  readonly #runs: Stub<typeof RunService>;
  readonly #ledger: Stub<typeof LedgerService>;

  /** `transport` is also what clients of the services without a method here are made of. */
  constructor(readonly transport: Transport) {
    this.#calls = createClient(CallService, transport);
    this.#runs = createClient(RunService, transport);
    this.#ledger = createClient(LedgerService, transport);
  }

  /** Operations by relevance to `query`, with all of `tags`, that fulfil `capability`. */
  async search(query: string, filter: { tags?: string[]; capability?: string; limit?: number } = {}): Promise<Hit[]> {
    const { hits } = await again(() => this.#ledger.searchOperations({ query, ...filter }));
    return hits.map(({ operation, reason }) => ({
      operation: operation?.id ?? "",
      version: operation?.version ?? "",
      summary: operation?.summary ?? "",
      callable: operation?.callable ?? false,
      notCallableReason: operation?.notCallableReason || undefined,
      price: operation?.priceKnown && operation.price ? Amount.of(operation.price) : undefined,
      access: operation?.access ?? "",
      verified: operation?.verified ?? false,
      reason,
    }));
  }

  /** Calls `sn22.web_search` or `cap.web_search` and waits for the answer. */
  async call<T = unknown>(operation: string, args: object = {}, options: CallOptionsOf<T> = {}): Promise<Answer<T>> {
    const request = callRequest(operation, args, options);
    if ((options.timeoutMs ?? 0) > UNARY_TIMEOUT_MS_MAX) return this.stream(operation, args, options).answer();
    const response = await again(() => this.#calls.call(request, rpc(options)));
    return answer(response, options.result);
  }

  /** The same, told while it goes on: iterate over the parts of the answer as they come. */
  stream<T = unknown>(operation: string, args: object = {}, options: CallOptionsOf<T> = {}): Stream<T> {
    const cancel = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, cancel.signal]) : cancel.signal;
    const request = { call: callRequest(operation, args, options), wantItems: true };
    return new Stream(this.#calls.stream(request, rpc({ ...options, signal })), options.result, cancel);
  }

  /** Runs a plan to its end. A run goes on without its client. Throws `RunFailed` where there is no result. */
  async run<T = unknown>(plan: Plan, inputs: object = {}, options: RunOptions<T> = {}): Promise<Result<T>> {
    const started = await this.start(plan, inputs, options);
    for await (const event of this.watch(started, options)) void event;
    const run = await this.get(started);
    if (run.state !== RunState.SUCCEEDED) throw ofRun(run);
    const cost = Amount.of(run.total);
    const facts = { run: run.name, charged: cost, certain: run.totalCertain };
    return {
      value: await checked(run.resultJson, options.result, facts),
      cost,
      certain: run.totalCertain,
      run: run.name,
      plan: run.plan,
      planHash: run.planHash,
      proofId: run.proofId,
    };
  }

  /** Starts a plan and gives the name of its run, `runs/UUID`, as soon as it is stored. */
  async start(plan: Plan, inputs: object = {}, options: RunOptions = {}): Promise<string> {
    const request = {
      requestId: options.requestId ?? crypto.randomUUID(),
      plan: options.name ?? "",
      inputsJson: json(inputs),
      ...(typeof plan === "string" ? { publishedPlan: plan } : { source: plan }),
      ...(options.costMax === undefined ? {} : { costMax: amount(options.costMax) }),
    };
    const { run } = await again(() => this.#runs.createRun(request));
    return run?.name ?? "";
  }

  /** A run as it stands. */
  async get(name: string): Promise<Run> {
    const { run } = await again(() => this.#runs.getRun({ name }));
    if (!run) throw new Unavailable("the server gave no run", { run: name });
    return run;
  }

  /** Cancels a run; one that ended is left as it is. */
  async cancel(name: string): Promise<void> {
    await again(() => this.#runs.cancelRun({ name }));
  }

  /**
   * The events of a run after number `afterSeq`, each once and without a gap, until it has ended. A connection that breaks
   * is made again, for up to `patienceMs` without success.
   */
  async *watch(
    name: string,
    options: { afterSeq?: number; patienceMs?: number; signal?: AbortSignal } = {},
  ): AsyncGenerator<Event, void, undefined> {
    let seq = options.afterSeq ?? 0;
    let waited = 0;
    let pause = 50;
    for (;;) {
      try {
        const call = options.signal ? { signal: options.signal } : {};
        for await (const { event: told } of this.#runs.watchRun({ name, afterSeq: BigInt(seq) }, call)) {
          [waited, pause] = [0, 50];
          if (!told || told.kind === RunEventKind.HEARTBEAT || Number(told.seq) <= seq) continue;
          seq = Number(told.seq);
          yield event(told);
          if (told.kind === RunEventKind.CLOSED) return;
        }
        const run = await this.get(name);
        if (run.endTime && Number(run.lastSeq) <= seq) return;
        throw new Unavailable("the server ended the stream before the run ended", { run: name, status: Code.Unavailable });
      } catch (reason) {
        const error = fromRpc(reason);
        if (options.signal?.aborted || !isLost(error) || waited >= (options.patienceMs ?? PATIENCE_MS)) throw error;
      }
      await sleep(pause);
      [waited, pause] = [waited + pause, Math.min(pause * 2, 1000)];
    }
  }

  /** The proof bundle of a run that ended. */
  async proof(name: string): Promise<Uint8Array> {
    try {
      const chunks: Uint8Array[] = [];
      for await (const { chunk } of this.#runs.readProof({ name })) chunks.push(chunk);
      const bundle = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
      chunks.reduce((at, chunk) => (bundle.set(chunk, at), at + chunk.length), 0);
      return bundle;
    } catch (reason) {
      throw fromRpc(reason);
    }
  }
}

/** A call that is told while it goes on. Leaving the iteration before its end cancels the call. */
export class Stream<T> implements AsyncIterable<unknown> {
  /** The run that makes the call, once it is on its way. */
  run: string | undefined;
  /** The most it can cost, once it is on its way. */
  costMax: Amount | undefined;
  #completed: CallResponse | undefined;
  readonly #items: AsyncGenerator<unknown, void, undefined>;

  constructor(
    events: AsyncIterable<StreamResponse>,
    readonly schema: Schema<T> | undefined,
    readonly controller: AbortController,
  ) {
    this.#items = this.#read(events);
  }

  [Symbol.asyncIterator](): AsyncGenerator<unknown, void, undefined> {
    return this.#items;
  }

  /** Cancels the call, if it has not ended. */
  cancel(): void {
    this.controller.abort();
  }

  /** The whole answer; reads the stream to its end. */
  async answer(): Promise<Answer<T>> {
    for await (const item of this.#items) void item;
    if (!this.#completed) throw new Unavailable("the stream was left before its answer", { run: this.run });
    return answer(this.#completed, this.schema);
  }

  async *#read(
    events: AsyncIterable<StreamResponse>,
  ): AsyncGenerator<unknown, void, undefined> {
    try {
      for await (const { event } of events) {
        if (event.case === "accepted") [this.run, this.costMax] = [event.value.run, Amount.of(event.value.costMax)];
        else if (event.case === "completed") this.#completed = event.value;
        else if (event.case === "item") yield JSON.parse(text(event.value.itemJson));
      }
    } catch (reason) {
      throw fromRpc(reason);
    } finally {
      if (!this.#completed) this.controller.abort();
    }
  }
}

/** Sends the caller's token with every request. */
export function bearer(token: string | undefined): Interceptor[] {
  if (!token) return [];
  return [
    (next) => (request) => {
      request.header.set("authorization", `Bearer ${token}`);
      return next(request);
    },
  ];
}

function callRequest(operation: string, args: object, options: CallOptionsOf) {
  return create(CallRequestSchema, {
    operation,
    version: options.version ?? "",
    argumentsJson: json(args),
    requestId: options.requestId ?? crypto.randomUUID(),
    wantReceipt: options.receipt ?? false,
    ...(options.costMax === undefined ? {} : { costMax: amount(options.costMax) }),
    ...(options.timeoutMs === undefined ? {} : { timeout: durationFromMs(options.timeoutMs) }),
  });
}

function rpc(options: CallOptionsOf): CallOptions {
  const timeoutMs = (options.timeoutMs ?? CALL_TIMEOUT_MS) + SLACK_MS;
  return options.signal ? { timeoutMs, signal: options.signal } : { timeoutMs };
}

/** Asks again where the server was not reached. That is safe: what is not a read is made once for its request id. */
async function again<R>(ask: () => Promise<R>): Promise<R> {
  for (let left = RETRIES, pause = 100; ; left -= 1, pause *= 2) {
    try {
      return await ask();
    } catch (reason) {
      const error = fromRpc(reason);
      if (left === 0 || error.code || error.status !== Code.Unavailable) throw error;
    }
    await sleep(pause);
  }
}

/** Whether it was the connection that failed, rather than what was asked. */
function isLost(error: OrchestraError): boolean {
  if (error.status === Code.Unavailable) return true;
  const broke = [Code.Unknown, Code.Internal, Code.Canceled, Code.Aborted, Code.DataLoss, Code.InvalidArgument];
  return !error.code && error.status !== undefined && broke.includes(error.status);
}

async function answer<T>(response: CallResponse, schema: Schema<T> | undefined): Promise<Answer<T>> {
  const cost = Amount.of(response.total);
  const facts = { run: response.run, charged: cost, certain: response.totalCertain };
  return {
    value: await checked(response.resultJson, schema, facts),
    cost,
    certain: response.totalCertain,
    operation: response.operation,
    version: response.version,
    run: response.run,
    proofId: response.proofId,
    receipt: response.receipt.length > 0 ? response.receipt : undefined,
    latencyMs: Number(response.latencyUs) / 1000,
  };
}

/** The value of JSON text, checked where a schema is given. */
async function checked<T>(
  bytes: Uint8Array,
  schema: Schema<T> | undefined,
  facts: { run: string; charged: Amount; certain: boolean },
): Promise<T> {
  const value: unknown = JSON.parse(text(bytes));
  if (!schema) return value as T;
  const found = await schema["~standard"].validate(value);
  if (!found.issues) return found.value;
  const [first] = found.issues;
  const keys = first?.path?.map((part) => (typeof part === "object" ? part.key : part)) ?? [];
  const path = "$" + keys.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  throw new ResultMismatch(`the answer does not fit: ${path}: ${first?.message ?? ""}`, { ...facts, path });
}

function event(told: RunEvent): Event {
  return {
    seq: Number(told.seq),
    time: told.time && timestampDate(told.time),
    kind: (RunEventKind[told.kind] ?? "UNSPECIFIED").toLowerCase() as Event["kind"],
    node: told.node,
    iteration: told.iteration,
    state: told.state,
    attempt: told.attempt,
    operation: told.operation,
    message: told.message,
    spent: Amount.of(told.spent),
  };
}

function amount(cost: string | Amount) {
  return (typeof cost === "string" ? Amount.parse(cost) : cost).toMessage();
}

function json(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
