/** What the artefacts must hold, and what they must not. */
import type { Artefacts } from "./artefacts.js";

const NEEDED: Readonly<Record<keyof Artefacts, readonly (string | RegExp)[]>> = {
  npm: [
    "package.json",
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "sdk/dist/index.js",
    "sdk/dist/index.d.ts",
    "sdk/dist/cli/main.js",
    "sdk/dist/web/index.html",
    "proto/lad/v1/worker.proto",
    "runtime/lad_runtime/__main__.py",
    "runtime/lad_runtime/tiny/bases/tiny/model.safetensors",
    "runtime/requirements/constraints.txt",
    "examples/train-and-sample.ts",
    "examples/notebook.ipynb",
  ],
  wheel: [
    "lad_runtime/__main__.py",
    "lad_runtime/gen/lad/v1/worker_pb2_grpc.py",
    "lad_runtime/tiny/bases/tiny/model.safetensors",
    "lad_lm_eval/sampling_defaults.json",
    /\.dist-info\/METADATA$/,
    /\.dist-info\/licenses\/LICENSE$/,
  ],
  sdist: [
    "PKG-INFO",
    "LICENSE",
    "README.md",
    "pyproject.toml",
    "requirements/core.txt",
    "lad_runtime/__main__.py",
  ],
};

/** Tests, sources that are built, caches, what runs leave, and whatever may hold a secret. */
const UNWANTED =
  /(^|\/)(tests?|node_modules|__pycache__|\.[^/]+)(\/|$)|\.test\.|^sdk\/(src|tools)\/|\.(pyc|tgz|sqlite|log|pem|key)$/;

/** Names that begin with a dot and belong there. */
const WANTED = ["runtime/.dockerignore"];

/** A sentence for each file that is missing or should not be there. */
export function contentProblems(made: Artefacts): string[] {
  return (Object.keys(NEEDED) as (keyof Artefacts)[]).flatMap((kind) => {
    const { file, files } = made[kind];
    const has = (path: string | RegExp) =>
      files.some((each) => (path instanceof RegExp ? path.test(each) : each === path));
    const missing = NEEDED[kind].filter((path) => !has(path));
    const unwanted = files.filter((path) => UNWANTED.test(path) && !WANTED.includes(path));
    return [
      ...missing.map((path) => `${file} lacks ${path instanceof RegExp ? path.source : path}.`),
      ...unwanted.map((path) => `${file} has ${path}, which is not to be published.`),
    ];
  });
}
