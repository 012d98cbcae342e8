import { expect, it } from "vitest";
import { lad } from "./support.js";

it.each([
  [["--port", "8421"], "--port"],
  [["--allow-origin", "http://localhost:5173"], "--allow-origin"],
  [["--alias", "chat=tiny"], "--alias"],
])("lad serve %j asks for --openai before it starts a worker", async (flags, flag) => {
  const { status, err } = await lad(["serve", ...flags]);
  expect(status).toBe(2);
  expect(err).toContain(`${flag} is of the endpoint, which is not asked for. Add --openai.`);
});

it("an alias has a name and a model", async () => {
  const { status, err } = await lad(["serve", "--openai", "--alias", "chat"]);
  expect(status).toBe(2);
  expect(err).toContain("It must be name=base or name=base:adapter.");
});
