/**
 * How calls reach a worker. The rest of the package depends on these two methods alone, so that a test can put a worker into the
 * same process, and another protocol can replace gRPC.
 */

/** One remote method, as the generated service definitions describe it. */
export interface Method<Request, Response> {
  /** `/package.Service/Method` */
  readonly path: string;
  /** Whether the client sends many requests. */
  readonly requestStream: boolean;
  /** Whether the worker sends many replies. */
  readonly responseStream: boolean;
  /** Encodes a request as protobuf. */
  readonly requestSerialize: (value: Request) => Buffer;
  /** Decodes a request. */
  readonly requestDeserialize: (bytes: Buffer) => Request;
  /** Encodes a reply as protobuf. */
  readonly responseSerialize: (value: Response) => Buffer;
  /** Decodes a reply. */
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** Settings of a single call. */
export interface TransportOptions {
  /** Ends the call with the error `cancelled`, whose cause is the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Ends the call with the error `timeout`. Default: none. */
  timeoutMs?: number | undefined;
}

/** A way to call a worker. It rejects with LadError alone, never with an error of the underlying protocol. */
export interface Transport {
  /** Sends one request, or several if the method streams them, and returns one reply. */
  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request | AsyncIterable<Request>,
    options?: TransportOptions,
  ): Promise<Response>;

  /**
   * Sends one request and yields many replies. The call starts with the first `next()`, has backpressure, and is cancelled when
   * the iterator is left early.
   */
  serverStream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options?: TransportOptions,
  ): AsyncIterable<Response>;

  /** Ends every call in flight and frees the connection. */
  close(): void;
}
