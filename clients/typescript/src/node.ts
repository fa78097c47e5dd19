/** The client for Node: gRPC over HTTP/2. */
import { createGrpcTransport } from "@connectrpc/connect-node";
import { bearer, Client } from "./client.js";

export * from "./index.js";

/** Where a server is, and who asks. */
export interface NodeOptions {
  /** Sent as `authorization: Bearer`; the variable `ORCHESTRA_TOKEN` where left out. */
  token?: string;
  /** PEM of further certificate authorities, for `https://`. */
  rootCertificates?: string;
}

/** A client of the server at `url`, such as `http://127.0.0.1:7410`; the variable `ORCHESTRA_SERVER` where left out. */
export function connect(url?: string, options: NodeOptions = {}): Client {
  const baseUrl = url ?? process.env["ORCHESTRA_SERVER"] ?? "http://127.0.0.1:7410";
  const nodeOptions = options.rootCertificates === undefined ? {} : { ca: options.rootCertificates };
  const interceptors = bearer(options.token ?? process.env["ORCHESTRA_TOKEN"]);
  return new Client(createGrpcTransport({ baseUrl, interceptors, nodeOptions }));
}
