/** What takes a while of which nobody tells how much is done. */
import { duration, LiveBlock } from "../../report/index.js";
import { type Cli, note } from "../cli.js";

/** Says on a terminal how long something takes, second by second; elsewhere that it has begun. */
export class Waiting {
  readonly #block: LiveBlock;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(cli: Cli, label: string) {
    this.#block = new LiveBlock({ output: cli.stderr });
    if (!this.#block.isLive) {
      note(cli, `${label}.`);
      return;
    }
    const started = performance.now();
    const draw = () => this.#block.update([`${label}  ${duration((performance.now() - started) / 1000)}`]);
    draw();
    this.#timer = setInterval(draw, 1000);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#block.finish();
  }
}
