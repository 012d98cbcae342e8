/**
 * How calls reach a worker. Everything above depends on these two methods alone, so that a test can put a worker of its own
 * in the same process and another wire can replace gRPC.
 */

/** One remote method, as the generated service definitions describe it. */
export interface Method<Request, Response> {
  /** `/package.Service/Method` */
  readonly path: string;
  /** Whether many requests are sent. */
  readonly requestStream: boolean;
  /** Whether many replies come. */
  readonly responseStream: boolean;
  /** A request as bytes of protobuf. */
  readonly requestSerialize: (value: Request) => Buffer;
  /** The request that bytes say. */
  readonly requestDeserialize: (bytes: Buffer) => Request;
  /** A reply as bytes of protobuf. */
  readonly responseSerialize: (value: Response) => Buffer;
  /** The reply that bytes say. */
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** What a single call may be given. */
export interface TransportOptions {
  /** Ends the call with the error `cancelled`, whose cause is the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Ends the call with the error `timeout`. Default: none. */
  timeoutMs?: number | undefined;
}

/** A way to call a worker. Failures are rejected as LadError, never as an error of the wire's own. */
export interface Transport {
  /** Many requests where the method streams them, one reply. */
  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request | AsyncIterable<Request>,
    options?: TransportOptions,
  ): Promise<Response>;

  /**
   * One request, many replies. The call opens with the first `next()`, is read no faster than the caller reads, and is
   * cancelled when the iterator is left early.
   */
  serverStream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options?: TransportOptions,
  ): AsyncIterable<Response>;

  /** Ends every call in flight and frees the connection. */
  close(): void;
}
