/** Marks that every chart has. */
import type { Drawing } from "./scales.js";
import type { Shape } from "./series.js";

/** Grid and axes. Their colours are the page's, so that they are legible in the dark too. */
export function axisMarks({ plot, scales: { x, y } }: Drawing): object[] {
  const grid = { stroke: "var(--line)", strokeOpacity: 1 };
  const axis = { color: "var(--soft)", labelArrow: "none", fontSize: 12 };
  return [
    plot.gridY({ ticks: y.ticks, ...grid }),
    ...(x.type === "point" ? [] : [plot.gridX({ ticks: x.ticks, ...grid })]),
    plot.axisX({
      ticks: x.ticks,
      tickFormat: x.tickFormat,
      tickSize: 4,
      ...axis,
      label: x.label,
      labelAnchor: "center",
    }),
    plot.axisY({
      ticks: y.ticks,
      tickFormat: y.tickFormat,
      tickSize: 0,
      ...axis,
      label: y.label,
      labelAnchor: "top",
    }),
  ];
}

/** What a path's context is asked for. */
interface Path {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  arc(x: number, y: number, r: number, from: number, to: number): void;
  closePath(): void;
}

/** A shape as a symbol of Plot, which gives its area: that of a circle of its radius. */
export function plotSymbol(shape: Shape) {
  if (shape === "circle") return "circle";
  return {
    draw(path: Path, area: number) {
      const radius = Math.sqrt(area / Math.PI);
      for (const [i, [x, y]] of shape.entries()) {
        if (i === 0) path.moveTo(x * radius, y * radius);
        else path.lineTo(x * radius, y * radius);
      }
      path.closePath();
    },
  };
}
