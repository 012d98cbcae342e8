/** An HTTP endpoint for the clients of other APIs, as the package exports it (`lad/endpoint`). */
export type { ServedAdapter } from "./models.js";
export type { EndpointOptions } from "./options.js";
export { type Endpoint, serveOpenAI } from "./serve-openai.js";
