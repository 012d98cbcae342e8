import type { Warn } from "../checks/check.js";
import { type Policy, policyDefinition } from "../method/policy.js";
import { type DenoisingAttention, denoisingAttention } from "../options/attention.js";
import type { SamplingSpec } from "../options.js";
import type { AdapterClaims, BaseInfo, SettledSampling } from "../wire.js";

/** What a model that was never trained, or does not say how, is sampled with. */
const ATTENTION: DenoisingAttention = "full";

/** Reads a model's present claims; undefined for a model without any. */
type ReadClaims = (signal: AbortSignal | undefined) => Promise<AdapterClaims | undefined>;

/** A run's settings, and the tokens of the windows that the adapter was trained in. */
export interface Settled {
  readonly spec: SettledSampling;
  readonly windowTokens: number;
}

/** Settles by a model's claims what options leave open, and warns, once for each handle, where sampling differs from training. */
export class AsTrained {
  readonly #warn: Warn;
  readonly #base: BaseInfo;
  readonly #read: ReadClaims;
  readonly #told = new Set<string>();

  constructor(warn: Warn, base: BaseInfo, read: ReadClaims) {
    this.#warn = warn;
    this.#base = base;
    this.#read = read;
  }

  /**
   * A run's settings, complete, and the windows of the training, 0 if they are not known. A policy without use for `attention` does not
   * depend on how the adapter was trained.
   */
  async settled(spec: SamplingSpec, signal: AbortSignal | undefined): Promise<Settled> {
    const definition = policyDefinition(spec.policy.kind);
    if (definition.unused?.includes("attention")) {
      const { attention = ATTENTION, canvasTokens = 0 } = spec;
      return {
        spec: { ...spec, attention, context: "prompt", canvasTokens, padTokens: [] },
        windowTokens: 0,
      };
    }
    const claims = await this.#read(signal);
    const attention = this.#attention(spec.attention, claims);
    const policy = (definition.settle?.(spec.policy, claims?.context, attention) ?? spec.policy) as Policy;
    const context = (attention === "causal-prefix" && claims?.context) || "prompt";
    const canvasTokens = spec.canvasTokens ?? claims?.canvasTokens ?? 0;
    const padTokens = spec.padTokens ?? claims?.padTokens ?? [];
    const windowTokens = claims?.windowTokens ?? 0;
    return { spec: { ...spec, attention, context, canvasTokens, padTokens, policy }, windowTokens };
  }

  /** How a canvas is predicted: in the given mode, else that of the training, and with what filled its tails. */
  async predicting(
    given: DenoisingAttention | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly attention: DenoisingAttention; readonly padTokens: readonly string[] }> {
    const claims = await this.#read(signal);
    return { attention: this.#attention(given, claims), padTokens: claims?.padTokens ?? [] };
  }

  #attention(given: DenoisingAttention | undefined, claims: AdapterClaims | undefined): DenoisingAttention {
    const attention = given ?? denoisingOr(claims?.attention ?? this.#base.attention);
    if (claims !== undefined) this.#compare(claims, attention);
    return attention;
  }

  #compare(claims: AdapterClaims, attention: DenoisingAttention): void {
    const { maskToken, chatTemplateDigest } = this.#base;
    if (claims.attention !== attention) {
      const remedy = isDenoising(claims.attention)
        ? `Leave attention out, or give attention: "${claims.attention}".`
        : "Train it in the mode that it is sampled in.";
      this.#tell(
        `attention is ${attention}, and the adapter was trained with attention ${claims.attention}. ${remedy}`,
      );
    }
    if (claims.maskToken !== maskToken) {
      this.#tell(
        `The base's mask token is ${maskToken}, and the adapter was trained with ${claims.maskToken}. ` +
          `Load the base with maskToken: ${JSON.stringify(claims.maskToken)}.`,
      );
    }
    if (claims.chatTemplateDigest !== chatTemplateDigest) {
      this.#tell(
        "The base's chat template is another than the adapter was trained with. Load the base with that chatTemplate.",
      );
    }
  }

  #tell(warning: string): void {
    if (this.#told.has(warning)) return;
    this.#told.add(warning);
    this.#warn(warning);
  }
}

function denoisingOr(mode: AdapterClaims["attention"] | undefined): DenoisingAttention {
  return mode !== undefined && isDenoising(mode) ? mode : ATTENTION;
}

function isDenoising(mode: AdapterClaims["attention"]): mode is DenoisingAttention {
  return denoisingAttention.safeParse(mode).success;
}
