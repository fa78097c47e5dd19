import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { RunState, type Run } from "./gen/orchestra/v1/run_pb.js";
import { Amount } from "./money.js";

/** What is known of an error beside its message. */
export interface ErrorFacts {
  /** Stable code with a page in the error index; empty where the server could not be asked. */
  code?: string;
  /** What to do next, or where that is written. */
  help?: string | undefined;
  /** The run, `runs/UUID`, where a call or run was made; where it is missing, nothing was sent and nothing was charged. */
  run?: string | undefined;
  charged?: Amount | undefined;
  /** Whether `charged` is known rather than assumed. */
  certain?: boolean | undefined;
  /** JSON path of what did not fit. */
  path?: string | undefined;
  callKind?: string | undefined;
  proofId?: string | undefined;
  /** Milliseconds after which it may be tried again. */
  retryAfterMs?: number | undefined;
  status?: Code | undefined;
  cause?: unknown;
}

/** An error of the service, or of the way to it. */
export class OrchestraError extends Error {
  readonly code: string;
  readonly help: string | undefined;
  readonly run: string | undefined;
  readonly charged: Amount | undefined;
  readonly certain: boolean | undefined;
  readonly path: string | undefined;
  readonly callKind: string | undefined;
  readonly proofId: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly status: Code | undefined;

  constructor(message: string, facts: ErrorFacts = {}) {
    super(message, { cause: facts.cause });
    this.name = new.target.name;
    this.code = facts.code ?? "";
    this.help = facts.help ?? (this.code ? `see docs/errors/${this.code}.md` : undefined);
    this.run = facts.run;
    this.charged = facts.charged;
    this.certain = facts.certain;
    this.path = facts.path;
    this.callKind = facts.callKind;
    this.proofId = facts.proofId;
    this.retryAfterMs = facts.retryAfterMs;
    this.status = facts.status;
  }
}

/** What was asked for is not well formed. */
export class InvalidRequest extends OrchestraError {}
/** A plan does not compile; the message is what a terminal would show. */
export class PlanInvalid extends InvalidRequest {}
/** There is no such operation, plan or run. */
export class NotFound extends OrchestraError {}
/** The token is missing, unknown or may not do this. */
export class AccessDenied extends OrchestraError {}
/** Well formed, but the state of the world does not admit it, such as a missing key. */
export class Refused extends OrchestraError {}
/** It costs more than was allowed, or may. */
export class OverBudget extends OrchestraError {}
/** The server cannot be reached, is busy or stops. */
export class Unavailable extends OrchestraError {}
/** No answer in time. */
export class DeadlineExceeded extends OrchestraError {}
/** A mistake of the server. */
export class InternalError extends OrchestraError {}
/** A call was made and has no answer; `callKind` says why, such as `rejected`. */
export class CallFailed extends OrchestraError {}
/** The subnet did not answer in time. */
export class CallTimedOut extends CallFailed {}
/** The subnet answers no more calls for now. */
export class CallRateLimited extends CallFailed {}
/** The subnet refused the key. */
export class CallUnauthorized extends CallFailed {}
/** The money allowed was spent before there was an answer. */
export class CallOverBudget extends CallFailed {}
/** The subnet's answer does not fit the operation's types; `path` says where. */
export class AnswerInvalid extends CallFailed {}
/** A run of a plan ended without a result. */
export class RunFailed extends OrchestraError {}
/** A run of a plan was cancelled. */
export class RunCancelled extends RunFailed {}
/** There is an answer, and was charged, but it does not fit the schema given as `result`. */
export class ResultMismatch extends OrchestraError {}

type Family = new (message: string, facts: ErrorFacts) => OrchestraError;

const BY_CALL_KIND: Record<string, Family> = {
  timeout: CallTimedOut,
  rate_limited: CallRateLimited,
  unauthorized: CallUnauthorized,
  over_budget: CallOverBudget,
  invalid: AnswerInvalid,
};

const BY_STATUS = new Map<Code, Family>([
  [Code.InvalidArgument, InvalidRequest],
  [Code.AlreadyExists, InvalidRequest],
  [Code.OutOfRange, InvalidRequest],
  [Code.Unimplemented, InvalidRequest],
  [Code.NotFound, NotFound],
  [Code.Unauthenticated, AccessDenied],
  [Code.PermissionDenied, AccessDenied],
  [Code.FailedPrecondition, Refused],
  [Code.ResourceExhausted, Unavailable],
  [Code.Unavailable, Unavailable],
  [Code.DeadlineExceeded, DeadlineExceeded],
]);

/** The error that a failed request tells of. */
export function fromRpc(reason: unknown): OrchestraError {
  if (reason instanceof OrchestraError) return reason;
  const error = ConnectError.from(reason);
  const info = error.findDetails(ErrorInfoSchema)[0];
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const violations = error.findDetails(BadRequestSchema).flatMap((request) => request.fieldViolations);
  const metadata = info?.metadata ?? {};
  const code = info?.reason ?? "";
  // What `fetch` throws where nothing answers.
  const status = !info && error.code === Code.Unknown && error.cause instanceof TypeError ? Code.Unavailable : error.code;
  const family = familyOf(code, status, metadata, violations.some(({ field }) => field.startsWith("source.text:")));
  return new family(error.rawMessage, {
    code,
    help: metadata["help"],
    run: metadata["run"],
    charged: metadata["charged"] === undefined ? undefined : Amount.parse(metadata["charged"]),
    certain: metadata["certain"] === undefined ? undefined : metadata["certain"] === "true",
    path: metadata["path"],
    callKind: metadata["call_kind"],
    proofId: metadata["proof_id"],
    retryAfterMs: delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6,
    status,
    cause: error,
  });
}

function familyOf(code: string, status: Code, metadata: Record<string, string>, isInPlan: boolean): Family {
  if (metadata["run"] !== undefined) return BY_CALL_KIND[metadata["call_kind"] ?? ""] ?? CallFailed;
  // Mistakes in a plan are told by their place in its text.
  if (isInPlan) return PlanInvalid;
  if (code.startsWith("E14")) return OverBudget;
  return BY_STATUS.get(status) ?? InternalError;
}

/** Why a run has no result. */
export function ofRun(run: Run): RunFailed {
  const family = run.state === RunState.CANCELLED ? RunCancelled : RunFailed;
  return new family(run.error?.message || "the run was cancelled", {
    code: run.error?.code ?? "",
    run: run.name,
    charged: Amount.of(run.total),
    certain: run.totalCertain,
    path: run.error?.path || undefined,
    callKind: run.error?.callKind || undefined,
    proofId: run.proofId || undefined,
  });
}
