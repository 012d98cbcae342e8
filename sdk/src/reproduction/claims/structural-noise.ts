import { newcombe } from "../../evaluation/statistics/wilson.js";
import { refine } from "../../method/policies/registered.js";
import { COMPARED_ITERATIONS, ERROR_KINDS, REPAIR_ITERATIONS } from "../pieces.js";
import { type Claim, finding } from "./claim.js";
import { rightOf } from "./figures.js";
import { showShares } from "./shares.js";

/** Structural noise teaches to repair, and to refine without masking again; masks alone do not, at the same compute. */
export const structuralNoise: Claim = {
  id: "e",
  title: "Structural noise teaches to repair and to refine, where masks alone do not",
  source: "the paper",
  judge: (measured, { watched, maskOnly }) => {
    const repairs = ERROR_KINDS.flatMap((errors) => {
      const structural = measured.of({ kind: "repairs", variant: watched, errors });
      const masks = measured.of({ kind: "repairs", variant: maskOnly, errors });
      if (structural === undefined || masks === undefined) return [];
      const figure = newcombe(structural.repaired, masks.repaired);
      return [
        finding(`Structural noise repairs more ${errors}`, figure, "share repaired more", { above: 0 }),
      ];
    });
    const policy = refine({ iterations: COMPARED_ITERATIONS });
    const [structural, masks] = [watched, maskOnly].map((variant) =>
      measured.of({ kind: "answers", variant, set: "easy", policy }),
    );
    if (structural === undefined || masks === undefined) return repairs;
    const figure = newcombe(rightOf(structural), rightOf(masks));
    const claim = "Structural noise gives more right answers under refine, from nothing but masks";
    return [...repairs, finding(claim, figure, "share of right answers more", { above: 0 })];
  },
  show: (section, measured, { watched, maskOnly }) => {
    const rows = ERROR_KINDS.flatMap((errors) => {
      const structural = measured.of({ kind: "repairs", variant: watched, errors });
      const masks = measured.of({ kind: "repairs", variant: maskOnly, errors });
      return structural === undefined || masks === undefined ? [] : [{ errors, structural, masks }];
    });
    showShares(section, {
      rows,
      sides: [
        { header: "structural noise", right: ({ structural }) => structural.repaired },
        { header: "masks alone", right: ({ masks }) => masks.repaired },
      ],
      table: {
        title: `Right answers with errors, after ${REPAIR_ITERATIONS} iterations of refine: the share that is right again`,
        about: "Both adapters were trained on the same data for as many steps.",
        columns: [{ header: "errors", value: ({ errors }) => errors }],
      },
      chart: {
        title: "Answers repaired",
        x: { label: "errors", of: ({ errors }) => errors },
        y: "right again",
      },
    });
  },
};
