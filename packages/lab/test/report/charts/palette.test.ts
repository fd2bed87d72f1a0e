import assert from "node:assert/strict";
import { test } from "node:test";
import { darkChartRules, palette, type Role } from "../../../src/report/charts/palette.ts";

test("no two roles share a light colour, since each is turned dark by its light one", () => {
  const lights = Object.values(palette).map(({ light }) => light);
  assert.equal(new Set(lights).size, lights.length);
});

test("every role has a rule for fills and one for strokes", () => {
  const rules = darkChartRules(".chart ");
  for (const { light, dark } of Object.values(palette)) {
    assert.ok(rules.includes(`.chart [fill="${light}"]{fill:${dark}}`));
    assert.ok(rules.includes(`.chart [stroke="${light}"]{stroke:${dark}}`));
  }
});

for (const scheme of ["light", "dark"] as const) {
  const contrast = (front: Role, back: Role) => ratio(palette[front][scheme], palette[back][scheme]);

  test(`text can be read on every ground it stands on (${scheme})`, () => {
    for (const role of ["ink", "muted", "accent", "study"] as const) {
      assert.ok(contrast(role, "surface") >= 4.5, role);
    }
    for (const role of ["heat0", "heat1", "heat2"] as const)
      assert.ok(contrast("onLightHeat", role) >= 4.5, role);
    for (const role of ["heat3", "heat4", "heat5"] as const)
      assert.ok(contrast("onDarkHeat", role) >= 4.5, role);
  });

  test(`bars and lines stand out from the page (${scheme})`, () => {
    const lines = ["line0", "line1", "line2", "line3", "line4", "line5"] as const;
    for (const role of ["bar", "accent", "second", "study", ...lines] as const) {
      assert.ok(contrast(role, "surface") >= 3, role);
    }
  });
}

/** WCAG's contrast ratio of two colours. */
function ratio(front: string, back: string): number {
  const [a, b] = [luminance(front), luminance(back)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(hex: string): number {
  const channel = (index: number) => {
    const value = Number.parseInt(hex.slice(index, index + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}
