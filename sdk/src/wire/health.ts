import { fromJSON } from "@grpc/proto-loader";
import type { Method } from "../transport.js";

/** The standard `grpc.health.v1` service, of which only Check is used. Every worker answers it without a token. */
const definition = fromJSON(
  namespace(["grpc", "health", "v1"], {
    HealthCheckRequest: { fields: { service: { type: "string", id: 1 } } },
    HealthCheckResponse: {
      fields: { status: { type: "ServingStatus", id: 1 } },
      nested: {
        ServingStatus: { values: { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } },
      },
    },
    Health: {
      methods: {
        Check: { requestType: "HealthCheckRequest", responseType: "HealthCheckResponse", comment: "" },
      },
    },
  }),
  { enums: String, defaults: true },
);

/** The health check. An empty service name means the whole worker; `SERVING` means that it accepts calls. */
export const healthCheck = (definition["grpc.health.v1.Health"] as unknown as { Check: unknown })
  .Check as Method<{ service: string }, { status: string }>;

function namespace(path: readonly string[], nested: object): Parameters<typeof fromJSON>[0] {
  const [name, ...rest] = path;
  return name === undefined ? { nested: nested as never } : { nested: { [name]: namespace(rest, nested) } };
}
