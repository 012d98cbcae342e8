import { render } from "preact";
import { App } from "./app.js";

addEventListener("hashchange", () => location.reload()); // another address was pasted into this tab
render(<App />, document.getElementById("app") as HTMLElement);
