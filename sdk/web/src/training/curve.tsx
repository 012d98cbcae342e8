/** A run's CE in training and in validation, in one figure. */

/** A value at a step. */
export interface Point {
  readonly step: number;
  readonly value: number;
}

const WIDTH = 640;
const HEIGHT = 220;
const LEFT = 44;
/** More points than this would fall on each other. */
const MOST_POINTS = 320;

export function Curve({
  training,
  validation,
  totalSteps,
}: {
  training: readonly Point[];
  validation: readonly Point[];
  totalSteps: number;
}) {
  const top = Math.max(1, ...training.map(({ value }) => value), ...validation.map(({ value }) => value));
  const x = (step: number) => LEFT + ((WIDTH - LEFT - 8) * step) / Math.max(1, totalSteps);
  const y = (value: number) => 8 + (HEIGHT - 16) * (1 - value / top);
  const line = (points: readonly Point[]) =>
    points.map(({ step, value }, index) => `${index === 0 ? "M" : "L"}${x(step)},${y(value)}`).join("");
  const last = (name: string, points: readonly Point[]) => {
    const point = points.at(-1);
    return point === undefined ? [] : [`${name} ${point.value.toFixed(3)} at step ${point.step}`];
  };
  const said = [...last("training", training), ...last("validation", validation)].join(", ") || "nothing yet";
  return (
    <figure class="chart">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT + 20}`}
        role="img"
        aria-label={`CE in nats of a corrupted token: ${said}`}
      >
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line x1={LEFT} x2={WIDTH - 8} y1={y(share * top)} y2={y(share * top)} />
            <text x={LEFT - 6} y={y(share * top) + 4} text-anchor="end">
              {(share * top).toFixed(1)}
            </text>
          </g>
        ))}
        <path class="training-line" d={line(thinned(training))} />
        <path class="validation-line" d={line(validation)} />
        {validation.map(({ step, value }) => (
          <circle key={step} cx={x(step)} cy={y(value)} r={4} />
        ))}
        <text x={LEFT} y={HEIGHT + 14}>
          0
        </text>
        <text x={WIDTH - 8} y={HEIGHT + 14} text-anchor="end">
          {totalSteps} steps
        </text>
      </svg>
      <figcaption class="about">
        CE in nats of a corrupted token: <span class="training-key">training</span>, a running mean, and{" "}
        <span class="validation-key">validation</span>, the dots.
      </figcaption>
    </figure>
  );
}

function thinned(points: readonly Point[]): readonly Point[] {
  const stride = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, index) => index % stride === 0 || index === points.length - 1);
}
