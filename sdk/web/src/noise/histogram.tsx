/** How many draws corrupt how many tokens. */

const WIDTH = 480;
const HEIGHT = 120;

export function Histogram({ counts }: { counts: readonly number[] }) {
  const draws = counts.reduce((sum, count) => sum + count, 0);
  const mean = counts.reduce((sum, count, tokens) => sum + count * tokens, 0) / Math.max(1, draws);
  const most = Math.max(1, ...counts);
  const step = WIDTH / counts.length;
  const untouched = Math.round((100 * (counts[0] ?? 0)) / Math.max(1, draws));
  const said = `${mean.toFixed(1)} tokens on average, nothing in ${untouched} % of the draws`;
  return (
    <figure class="chart">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT + 20}`}
        role="img"
        aria-label={`Corrupted tokens of a draw: ${said}`}
      >
        {counts.map((count, tokens) => (
          <rect
            key={tokens}
            x={tokens * step + 1}
            width={Math.max(1, step - 2)}
            y={HEIGHT - (HEIGHT * count) / most}
            height={(HEIGHT * count) / most}
          />
        ))}
        <line x1={0} x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        <text x={0} y={HEIGHT + 16}>
          0
        </text>
        <text x={WIDTH} y={HEIGHT + 16} text-anchor="end">
          {counts.length - 1} tokens
        </text>
      </svg>
      <figcaption class="about">{said}.</figcaption>
    </figure>
  );
}
