import { LadError } from "../errors.js";
import type * as adapters from "../gen/lad/v1/adapters.js";
import { AttentionMode } from "../gen/lad/v1/training.js";
import * as pb from "../gen/lad/v1/worker.js";
import type {
  AdapterClaims,
  AdapterInfo,
  BaseInfo,
  StoredCheckpoint,
  WorkerInfo,
} from "../results/worker.js";
import { counted, inJson } from "./bigints.js";
import { numberOf, wordOf } from "./enums.js";
import { fromLoss, fromNoise } from "./training.js";

type DataTypeName = BaseInfo["dataType"];

export function fromBase(base: pb.Base): BaseInfo {
  const { attention } = base;
  return {
    ...counted(base),
    dataType: fromDataType(base.dataType),
    attention: attention === undefined ? undefined : wordOf(AttentionMode, attention),
  };
}

export function fromAdapter({ spec, claims, ...adapter }: pb.Adapter): AdapterInfo {
  const known = { ...present(spec, "Adapter.spec"), ...counted(adapter) };
  return inJson({ ...known, claims: claims && fromClaims(claims) });
}

export function fromCheckpoint(checkpoint: adapters.StoredCheckpoint): StoredCheckpoint {
  return inJson(counted(checkpoint));
}

function fromClaims({ noise, loss, ...claims }: pb.AdapterClaims): AdapterClaims {
  return {
    ...counted(claims),
    attention: wordOf(AttentionMode, claims.attention),
    context: claims.context as AdapterClaims["context"],
    noise: noise && fromNoise(noise),
    loss: loss && fromLoss(loss),
  };
}

export function fromInfo({ bases, adapters, ...info }: pb.GetInfoResponse): WorkerInfo {
  return { ...counted(info), bases: bases.map(fromBase), adapters: adapters.map(fromAdapter) };
}

/** The protocol's data type. The option's word `auto` is UNSPECIFIED, which leaves the choice to the worker. */
export function toDataType(word: DataTypeName): pb.DataType {
  return word === "auto" ? pb.DataType.UNSPECIFIED : numberOf(pb.DataType, word);
}

function fromDataType(value: pb.DataType): DataTypeName {
  return value === pb.DataType.UNSPECIFIED ? "auto" : wordOf(pb.DataType, value);
}

/** The value of a message field that the worker always fills. */
export function present<Value>(value: Value | undefined, field: string): Value {
  if (value === undefined) throw new LadError("internal", `The worker's reply lacks ${field}.`);
  return value;
}
