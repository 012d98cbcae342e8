/** VitePress's own theme in the system's fonts, with the figures of this documentation. */
import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import { NoiseFigure } from "../noise/figure.js";
import "./style.css";

export default {
  extends: DefaultTheme,
  enhanceApp: ({ app }) => {
    app.component("NoiseFigure", NoiseFigure);
  },
} satisfies Theme;
