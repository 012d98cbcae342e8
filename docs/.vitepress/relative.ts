/** Pages that are also read from the disk, without a server. */

/** A page's HTML with links, pictures and styles relative to it, so that a browser finds them from the file alone. */
export function relativeTo(page: string, html: string): string {
  const up = "../".repeat(page.split("/").length - 1) || "./";
  return html.replace(/ (href|src)="\/(?!\/)([^"]*)"/g, (_, attribute: string, path: string) => {
    return ` ${attribute}="${up}${path === "" ? "index.html" : path.replace(/\/(?=#|$)/, "/index.html")}"`;
  });
}
