/** The web demo: a page of this machine, on which an answer is watched while it forms. */
import { setMaxListeners } from "node:events";
import { LOOPBACK, listen } from "../http/listen.js";
import { localApp } from "../http/local-app.js";
import { makeToken, requireToken } from "../http/token.js";
import type { Adapter, Base, Recipe, Runtime } from "../index.js";
import type { DemoExample } from "./messages.js";
import { Milestones } from "./milestones.js";
import { DemoModels, type SavedAdapter } from "./models.js";
import { servePage } from "./page.js";
import { demoRoutes } from "./routes.js";
import type { TrainingData } from "./training.js";

/** What a demo shows. */
export interface DemoOptions {
  readonly runtime: Runtime;
  readonly base: Base;
  /** How adapters on the base are trained and sampled. */
  readonly recipe: Recipe;
  /** Reads which adapters on the base can be asked at the moment, the first by default. */
  readonly saved: () => Promise<readonly SavedAdapter[]>;
  /** Keeps what a run has trained under a name, so that `saved` has it from then on. Default: nothing can be kept. */
  readonly keep?: ((adapter: Adapter, name: string) => Promise<void>) | undefined;
  /** Questions that are offered, at least one. */
  readonly examples: readonly DemoExample[];
  /** What can be trained on here. Default: nothing. */
  readonly training?: TrainingData | undefined;
  /** The folder of the built page. */
  readonly page: string;
  /** An integer from 0 to 65,535; 0 is any that is free. Default: 0. */
  readonly port?: number | undefined;
  /** Told of failures that are the server's own. */
  readonly onFailure: (error: unknown) => void;
}

/** A demo that is being served. */
export interface Demo extends AsyncDisposable {
  /** The page's address with the token, which whoever opens it needs: keep it secret. */
  readonly url: string;
  /** The same without the token. */
  readonly origin: string;
  readonly token: string;
}

/**
 * Serves a demo on this machine alone, until it is disposed of.
 *
 * @throws LadError `port-in-use`, `invalid-option`
 */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const { runtime, base, recipe, saved, keep, examples, training, page, port, onFailure } = options;
  const token = makeToken();
  const ended = new AbortController();
  setMaxListeners(0, ended.signal); // each run that is watched listens to it
  const milestones = new Milestones();
  const models = new DemoModels(runtime, base, saved, milestones);
  const app = localApp({ host: LOOPBACK, onFailure });
  app.use("/api/*", requireToken(token));
  const room = { runtime, base, recipe, models, milestones, examples, training, keep, onFailure };
  app.route("/api", demoRoutes({ ...room, ended: ended.signal }));
  servePage(app, page);
  const listening = await listen(app, { host: LOOPBACK, port });
  return {
    url: `${listening.url}/#token=${token}`,
    origin: listening.url,
    token,
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await listening.close();
      await models.close();
      await milestones.close();
    },
  };
}
