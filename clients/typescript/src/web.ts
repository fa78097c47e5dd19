/** The client for browsers: gRPC-Web. The server must admit the page's origin: `orch serve --allow-origin ORIGIN`. */
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { bearer, Client } from "./client.js";

export * from "./index.js";

/** A client of the server at `url`; `token` is sent as `authorization: Bearer`. */
export function connect(url: string, options: { token?: string } = {}): Client {
  return new Client(createGrpcWebTransport({ baseUrl: url, interceptors: bearer(options.token) }));
}
