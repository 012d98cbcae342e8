/** The anchors of headings, as the places where the files are read otherwise make them: lower case, without signs, with hyphens. */

/** The heading `6. Which policy?` has the anchor `6-which-policy`. */
export function slug(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, "")
    .replaceAll(" ", "-");
}
