/** Values as the letters of a link, behind its `#`. */

export function toLink(value: object): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const letters = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return letters.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * The value as text in JSON, which a file of it has too.
 *
 * @throws Error for what is no such link
 */
export function fromLink(link: string): string {
  const letters = atob(link.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(letters, (letter) => letter.charCodeAt(0)));
}
