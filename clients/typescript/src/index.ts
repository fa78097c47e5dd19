/** What both clients have; `./node` and `./web` say how a server is reached. */
export { Amount } from "./money.js";
export * from "./errors.js";
export {
  Client,
  Stream,
  type Answer,
  type CallOptionsOf as CallOptions,
  type Event,
  type Hit,
  type Options,
  type Plan,
  type Result,
  type RunOptions,
  type Schema,
} from "./client.js";
export { CallService } from "./gen/orchestra/v1/call_pb.js";
export { CompilerService } from "./gen/orchestra/v1/compiler_pb.js";
export { LedgerService } from "./gen/orchestra/v1/ledger_pb.js";
export { PlanService } from "./gen/orchestra/v1/plan_pb.js";
export { RunService, type Run } from "./gen/orchestra/v1/run_pb.js";
export { ToolService } from "./gen/orchestra/v1/tool_pb.js";
export { verify, type Failure, type RunSummary, type SignedAnswer, type TrustedKey, type Verdict } from "./proof/index.js";
