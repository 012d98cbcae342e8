/** A script that behaves as Python does for the set-up: it describes itself, makes environments, and notes what pip gets. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { RuntimeLocation } from "../../../sdk/src/setup/locate.js";

const SCRIPT = `#!/bin/sh
case "$1 $2" in
  "-c "*) echo '{"executable": "'"$0"'", "version": "3.11.7", "hasEnsurepip": true}' ;;
  "-m venv") mkdir -p "$4/bin" && ln -sf "$(readlink -f "$0")" "$4/bin/python" && touch "$4/pyvenv.cfg" ;;
  "-m pip")
    sleep 0.05
    echo "$*" >> "@CALLS@"
    if [ -e "@FAIL@" ]; then echo "ERROR: No matching distribution found"; exit 1; fi ;;
esac
`;

/** A package folder with real requirements and an environment still to be made. */
export class FakeMachine {
  readonly folder = mkdtempSync(join(tmpdir(), "lad-setup-test-"));
  readonly python = join(this.folder, "python");
  readonly #calls = join(this.folder, "calls");
  readonly #fail = join(this.folder, "fail");
  readonly location: RuntimeLocation;

  constructor() {
    this.installPython();
    const environmentFolder = join(this.folder, "home/venv");
    mkdirSync(join(this.folder, "home"));
    this.location = {
      packageFolder: this.folder,
      runtimeFolder: resolve(import.meta.dirname, "../../../runtime"),
      environmentFolder,
      python: join(environmentFolder, "bin/python"),
      isCheckout: false,
    };
  }

  /** Puts the interpreter at a path, where an upgrade might. */
  installPython(path = this.python): string {
    writeFileSync(path, SCRIPT.replace("@CALLS@", this.#calls).replace("@FAIL@", this.#fail));
    chmodSync(path, 0o755);
    return path;
  }

  failNextInstall(): void {
    writeFileSync(this.#fail, "");
  }

  /** The arguments of every call of pip, in order. */
  get installs(): string[] {
    return existsSync(this.#calls) ? readFileSync(this.#calls, "utf8").trimEnd().split("\n") : [];
  }
}
