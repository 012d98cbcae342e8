/** Finds the option that is meant by a word which other programs have for it. */

/** Of each option, and each of its values that has some, words for the same thing in other libraries and interfaces, in camelCase. */
const SYNONYMS: readonly (readonly string[])[] = [
  ["instruction", "prompt", "question", "query", "problem"],
  [
    "messages",
    "prompt",
    "question",
    "query",
    "instruction",
    "input",
    "text",
    "chat",
    "prefill",
    "conversation",
    "conversations",
  ],
  ["output", "answer", "response", "completion", "solution", "target"],
  ["input", "context"],
  ["system", "systemPrompt", "systemMessage"],
  ["reference", "answer", "output", "response", "expected", "solution", "target", "label"],
  ["continuation", "answer", "output", "completion", "target"],
  ["canvases", "prompts", "questions"],
  ["items", "prompts", "questions", "canvases"],
  ["ids", "inputIds", "promptIds", "tokenIds", "tokens"],
  ["answerTokens", "maxTokens", "maxNewTokens", "maxCompletionTokens", "maxLength", "genLength", "length"],
  ["iterations", "steps", "numSteps", "numInferenceSteps", "diffusionSteps"],
  ["steps", "maxSteps", "numSteps", "iterations"],
  ["epochs", "numEpochs", "numTrainEpochs"],
  ["batchSize", "batch", "trainBatchSize", "perDeviceTrainBatchSize"],
  ["learningRate", "lr"],
  ["maxGradientNorm", "maxGradNorm", "gradientClipping", "clipGradNorm"],
  ["validation", "eval", "evalDataset", "validationData", "evaluation"],
  ["data", "dataset", "trainData", "trainDataset", "examples"],
  ["windowTokens", "maxSeqLength", "maxSequenceLength", "contextLength", "blockSize"],
  ["rank", "r", "loraRank", "loraR"],
  ["alpha", "loraAlpha"],
  ["dropout", "loraDropout"],
  ["targets", "targetModules", "modules"],
  ["seed", "randomSeed", "randomState"],
  ["stop", "stopSequences", "stopSequence", "stopStrings", "until"],
  ["timeoutMs", "timeout"],
  ["patience", "earlyStoppingPatience"],
  ["minDelta", "earlyStoppingThreshold"],
  ["restoreBest", "loadBestModelAtEnd", "restoreBestWeights"],
  ["name", "model", "modelName"],
  ["cuda", "gpu", "nvidia", "cuda:0"],
];

/** The known option that an unknown word means, in whatever case it is written: `max_new_tokens` is `answerTokens`. */
export function meant(word: string, known: readonly string[]): string | undefined {
  const plain = (name: string) => name.toLowerCase().replace(/[_-]/g, "");
  const isSame = (name: string) => plain(name) === plain(word);
  const options = SYNONYMS.filter((names) => names.some(isSame)).map(([option = ""]) => option);
  return known.find(isSame) ?? options.find((option) => known.includes(option));
}
