// What a screen reader finds, and what people can read.
import assert from "node:assert/strict";

/**
 * Looks for roles and their names in the accessibility tree: each expected name is there, as a text or an
 * expression. An empty one stands for any. Returns the nodes, role by role.
 */
export async function tree(page, expected) {
  const client = await page.createCDPSession();
  const { nodes } = await client.send("Accessibility.getFullAXTree");
  await client.detach();
  const known = nodes
    .filter((node) => !node.ignored)
    .map((node) => ({
      role: node.role?.value,
      name: (node.name?.value ?? "").trim(),
      description: node.description?.value ?? "",
    }));
  for (const node of known) {
    const isNamed = ["button", "link", "textbox", "searchbox", "columnheader"].includes(node.role);
    assert(!isNamed || node.name, `${page.url()} has a ${node.role} without a name`);
  }
  const headings = known.filter((node) => node.role === "heading");
  assert(headings.length > 0, `${page.url()} has no heading`);
  const found = Object.entries(expected).map(([role, names]) => {
    const all = known.filter((node) => node.role === role);
    for (const name of names) {
      const is = (node) => (name instanceof RegExp ? name.test(node.name) : !name || node.name === name);
      const there = all.map((node) => node.name).join(", ");
      assert(all.some(is), `${page.url()} has no ${role} "${name}", but: ${there}`);
    }
    return all;
  });
  return [found.flat()];
}

/** Runs in the page: the texts with less contrast than WCAG 2.2 AA asks for. */
export function contrast() {
  const channels = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const light = (color) => {
    const [r, g, b] = color.slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = channels(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if ((!hasText && element.tagName !== "INPUT") || element.closest(".aside") || !element.checkVisibility()) continue;
    const [one, other] = [light(channels(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) poor.push(`${element.tagName} "${element.innerText}": ${ratio.toFixed(2)}`);
  }
  return poor;
}
