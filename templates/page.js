// What the page does with a script: links open what is folded, LaTeX is copied, and lines are read in other ways.
(() => {
  "use strict";
  const one = (selector, at = document) => at.querySelector(selector);
  const every = (selector, at = document) => [...at.querySelectorAll(selector)];
  const words = Object.fromEntries([...one("#words").content.children].map((e) => [e.dataset.key, e.textContent]));
  const said = (key, places = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => places[name] ?? "");
  const made = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // links, copying, printing ---------------------------------------------------------------------------------------------
  const unfold = (element) => {
    for (let e = element; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
  };
  const target = () => {
    try { return document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return null; }
  };
  const follow = () => {
    const found = target();
    if (!found) return;
    reach(found);
    unfold(found);
    found.scrollIntoView();
  };
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = every("details:not([open])");
    folded.forEach((d) => (d.open = true));
    unpin();
  });
  addEventListener("afterprint", () => {
    folded.forEach((d) => (d.open = false));
    if (mode === "step") pin();
  });
  for (const button of every("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const tex = one("annotation", button.parentElement).textContent;
      try { await navigator.clipboard.writeText(tex); }
      catch { const area = made("textarea", { value: tex }); document.body.append(area); area.select(); document.execCommand("copy"); area.remove(); }
      button.classList.add("done");
      button.setAttribute("aria-label", words.copied);
      setTimeout(() => button.classList.remove("done"), 1200);
    });
  }

  // the lines, and the quantities they give and take ---------------------------------------------------------------------
  const lines = every("div.line"), bar = one("#modes"), voice = one("#voice");
  // of many lessons on one page, each has its own quantities
  const within = (e) => (e.closest("article") ? e.closest("article").id + ":" : "");
  const gives = (e) => within(e) + e.dataset.q;
  const takes = (line) => (line.dataset.u ? line.dataset.u.split(" ").map((key) => within(line) + key) : []);
  const grouped = (pairs) => {
    const found = new Map();
    for (const [key, value] of pairs) found.has(key) ? found.get(key).push(value) : found.set(key, [value]);
    return found;
  };
  const index = new Map(lines.map((line, i) => [line, i]));
  const givers = grouped(lines.map((line) => [gives(line), line]));
  let takers = null;
  const takersOf = (key) => (takers ??= grouped(lines.flatMap((line) => takes(line).map((k) => [k, line])))).get(key) ?? [];
  const announce = (text) => (voice.textContent = text);
  const symbol = (line) => one(".t mrow", line)?.textContent ?? line.dataset.q;
  const heading = (line) => {
    const title = one("h3, h4, h5, h6", line.closest(".step") ?? document)?.cloneNode(true);
    if (title) every("a.lesson, annotation", title).forEach((e) => e.remove());
    return title?.textContent.trim() ?? "";
  };

  // the diagram ----------------------------------------------------------------------------------------------------------
  // d of/d by, a state's letter, then a quantity: its letter, its layer, the step, its entry
  const ID = /^(?:d[^/]+\/d)?(?:[a-z]+\.)?([A-Za-z_]+?)(\d*)(?:\.\d+)?\+?(?:@\d+)?(?:\[([\d,]+)\])?$/;
  const figure = every("figure.diagram").find((f) => one("[data-edge^=W]", f)), svg = figure && one("svg", figure);
  const parsed = (id) => {
    const [, letter, layer, entry = ""] = ID.exec(id) ?? [];
    return letter && { letter, layer: +layer, entry };
  };
  const part = (element, id) => ({ element, id, ...parsed(id) });
  const units = svg ? every("[data-unit]", svg).map((e) => part(e, e.dataset.unit)) : [];
  const edges = svg ? every("[data-edge]", svg).map((e) => part(e, e.dataset.edge)) : [];
  const askables = [...units, ...edges].filter((p) => p.letter);
  const last = Math.max(0, ...units.map((u) => u.layer || 0));
  const OUTPUT = ["t", "l", "L"];
  const AT_UNITS = ["x", "z", "a", "n", "y", "s", "drop", "mask", "mean", "var", "gamma", "beta", "running_mean", "running_var"];
  const row = (entry) => entry.split(",").pop();
  const batch = lines.some((line) => /(^| )x\[\d+,|(^| )z1\[\d+,/.test(line.dataset.u)); // then L and l[3] are of no one output
  // the parts of the diagram that a quantity stands at: its unit, or its weights; a whole quantity is at all of its parts
  const places = new Map();
  const placesOf = (key) => {
    if (!places.has(key)) places.set(key, located(key));
    return places.get(key);
  };
  const located = (key) => {
    const at = parsed(key);
    if (!at) return [];
    if (at.letter === "W" || at.letter === "b") {
      const wires = edges.filter((e) => e.letter === at.letter && e.layer === at.layer && (!at.entry || e.entry === at.entry));
      return at.letter === "W" ? wires : [...wires, ...units.filter((u) => u.letter === "bias" && u.layer === at.layer)];
    }
    const output = OUTPUT.includes(at.letter);
    if (!output && !AT_UNITS.includes(at.letter)) return [];
    const column = output ? last : at.layer, whole = !at.entry || (output && batch && !at.entry.includes(","));
    return units.filter((u) => u.letter !== "bias" && u.layer === column && (whole || row(u.entry) === row(at.entry)));
  };
  const drawn = (p) => (p.element.dataset.edge ? every("." + /\be\d+\b/.exec(p.element.getAttribute("class"))[0], svg) : [p.element]);
  const TONES = ["now", "used"];
  const light = (now, used) => {
    if (!svg) return;
    every(".now, .used", svg).forEach((e) => e.classList.remove(...TONES));
    for (const p of used) drawn(p).forEach((e) => e.classList.add("used"));
    for (const p of now) drawn(p).forEach((e) => { e.classList.remove("used"); e.classList.add("now"); });
    svg.classList.toggle("lit", now.length + used.length > 0);
  };
  const ends = (edge, unit) => edge.element.classList.contains("at" + /\bu(\d+)\b/.exec(unit.element.getAttribute("class"))[1]);
  const lightLine = (line) => {
    const now = placesOf(gives(line)), at = now.filter((p) => units.includes(p));
    // of a shared bias, the edges to the units that are worked out
    const near = (p) => p.letter !== "b" || !at.length || at.some((unit) => ends(p, unit));
    light(now, takes(line).flatMap(placesOf).filter(near));
    svg?.classList.toggle("back", gives(line).startsWith("d"));
  };
  let mark = null; // where the diagram stands on the page
  const pin = () => {
    if (!figure || mark) return;
    mark = document.createComment("");
    figure.replaceWith(mark);
    one("#pin").append(figure);
    one("#pin").hidden = false;
    document.documentElement.classList.add("pinned");
  };
  const unpin = () => {
    if (!mark) return;
    mark.replaceWith(figure);
    mark = null;
    one("#pin").hidden = true;
    document.documentElement.classList.remove("pinned");
  };

  // the modes --------------------------------------------------------------------------------------------------------------
  let mode = "read";
  const covering = () => mode === "results" || mode === "try";
  const leave = {
    read: () => {},
    step: () => { show(null); unpin(); light([], []); every(".known", svg ?? bar).forEach((e) => e.classList.remove("known")); opened.forEach((d) => (d.open = false)); opened = []; },
    numbers: () => nameParts(),
    results: () => { uncoverAll(); nameParts(); },
    try: () => { uncoverAll(); nameParts(); every(".try").forEach((e) => e.remove()); },
  };
  const enter = {
    read: () => {},
    step: () => { pin(); const from = target(); go(from && one("main").contains(from) ? Math.max(0, first(from)) : 0); stand(lines[at]); },
    numbers: () => nameParts(false),
    results: () => { coverAll(); nameParts(false); },
    try: () => { coverAll(); nameParts(false); ask(); },
  };
  const change = (to) => {
    if (to === mode) to = "read";
    closeUses(false);
    const from = mode;
    mode = to;
    leave[from]();
    document.body.dataset.mode = mode;
    for (const button of every("button[data-to]", bar)) button.setAttribute("aria-pressed", String(button.dataset.to === mode));
    one("#note").textContent = covering() ? words["in_" + mode] : "";
    one("#score").textContent = "";
    announce(words["in_" + mode] ?? "");
    enter[mode]();
  };

  // line by line -----------------------------------------------------------------------------------------------------------
  let at = 0, later = new Set(), opened = [];
  const show = (line) => {
    const hidden = new Set();
    if (line && line !== lines.at(-1))
      for (let e = line; e && e.tagName !== "MAIN"; e = e.parentElement)
        for (let next = e.nextElementSibling; next; next = next.nextElementSibling) hidden.add(next);
    later.forEach((e) => hidden.has(e) || e.classList.remove("later"));
    hidden.forEach((e) => later.has(e) || e.classList.add("later"));
    later = hidden;
    one("div.line.current")?.classList.remove("current");
    line?.classList.add("current");
    for (let e = line; e; e = e.parentElement) if (e.tagName === "DETAILS" && !e.open) { e.open = true; opened.push(e); }
  };
  const go = (n) => {
    at = Math.min(Math.max(n, 0), lines.length - 1);
    const line = lines[at];
    show(line);
    lightLine(line);
    for (const u of units) {
      const giver = givers.get(u.id)?.[0] ?? givers.get(u.id.replace(/\[\d+\]$/, ""))?.[0];
      u.element.classList.toggle("known", !giver || index.get(giver) <= at);
    }
    line.scrollIntoView({ block: "nearest" });
    one("#progress").textContent = `${at + 1} / ${lines.length}`;
    announce(said("at", { n: at + 1, all: lines.length, what: heading(line) }));
  };
  const stand = (line) => {
    line.tabIndex = -1;
    line.focus({ preventScroll: true });
  };
  // the first line in an element, or after it
  const first = (element) => {
    const inside = element.matches("div.line") ? element : one("div.line", element);
    if (inside) return index.get(inside);
    return lines.findIndex((line) => element.compareDocumentPosition(line) & Node.DOCUMENT_POSITION_FOLLOWING);
  };
  const reach = (element) => {
    if (mode !== "step" || !one("main").contains(element)) return;
    const n = first(element);
    if (n < 0 || n > at) go(n < 0 ? lines.length - 1 : n);
  };

  // results covered ----------------------------------------------------------------------------------------------------------
  let known = new Set();
  const isCovered = (e, line) => {
    if (e.classList.contains("shown")) return false;
    if (e.matches(".r")) return !known.has(gives(e));
    if (known.has(gives(line))) return false;
    // a factor of a chain is worked out in its own line; the number in its place may be a result
    return e.matches(".v") || takes(line).some((key) => (givers.has(key) && !known.has(key)) || key.includes("]/d"));
  };
  const cover = (e, line) => {
    const covered = covering() && isCovered(e, line);
    e.classList.toggle("covered", covered);
    if (e.matches(".case")) return;
    if (covered) {
      e.tabIndex = 0;
      e.setAttribute("role", "button");
      e.setAttribute("aria-label", words.covered);
    } else ["tabindex", "role", "aria-label"].forEach((name) => e.removeAttribute(name));
  };
  const coverLine = (line) => every(".v, .n, .case", line).forEach((e) => cover(e, line));
  const coverAll = () => { lines.forEach(coverLine); every(".r").forEach((e) => cover(e, null)); };
  const uncoverAll = () => { known = new Set(); every(".shown").forEach((e) => e.classList.remove("shown")); coverAll(); };
  const learn = (key) => {
    known.add(key);
    new Set([...(givers.get(key) ?? []), ...takersOf(key)]).forEach(coverLine);
    every(".r.covered").filter((e) => gives(e) === key).forEach((e) => cover(e, null));
    for (const u of units) if (u.id === key || u.id.startsWith(key + "[")) u.element.classList.add("known");
  };
  const uncover = (e) => {
    const line = e.closest(".line");
    e.classList.add("shown");
    if (line && e.matches(".v")) learn(gives(line)); else if (line) coverLine(line); else cover(e, null);
    announce(e.textContent);
  };
  // parts of the diagram are named with their numbers, or without
  const nameParts = (full = true) => {
    if (!svg) return;
    every(".known", svg).forEach((e) => e.classList.remove("known"));
    for (const title of every("title", svg)) {
      title.dataset.full ??= title.textContent;
      title.textContent = full ? title.dataset.full : title.dataset.full.split(" = ")[0];
    }
    for (const p of askables) p.focus.setAttribute("aria-label", full ? p.label : p.name);
  };

  // answers --------------------------------------------------------------------------------------------------------------------
  const RIGHT = ["correct", "over_precise", "truncated"], NEAR = ["low_precision", "last_digit", "too_coarse"];
  const ask = () => {
    const asked = new Set();
    for (const line of lines) {
      if (!line.dataset.value || asked.has(gives(line))) continue;
      asked.add(gives(line));
      const field = made("input", { type: "text", autocomplete: "off", spellcheck: false });
      field.setAttribute("aria-label", said("answer", { name: symbol(line) }));
      line.append(made("span", { className: "try" }, field, made("output")));
    }
    count();
  };
  const answered = (field) => {
    const line = field.closest(".line"), verdict = one("output", line);
    const code = field.value.trim() ? judge(field.value, line.dataset.value, bar.dataset, "comma" in bar.dataset) : "";
    field.parentElement.dataset.verdict = code;
    field.parentElement.className = "try " + (!code ? "" : RIGHT.includes(code) ? "right" : NEAR.includes(code) ? "near" : "wrong");
    verdict.textContent = code ? said("verdict." + code) : "";
    if (RIGHT.includes(code)) learn(gives(line));
    count();
    return RIGHT.includes(code);
  };
  const count = () => {
    const tried = every(".try[data-verdict]").filter((e) => e.dataset.verdict);
    one("#score").textContent = !tried.length ? "" : said("total", { right: tried.filter((e) => RIGHT.includes(e.dataset.verdict)).length, tried: tried.length });
  };

  // what uses a weight or a unit -------------------------------------------------------------------------------------------------
  const uses = one("#uses");
  let asker = null;
  const listed = (title, found) => {
    if (!found.length) return [];
    const items = found.map((line) => {
      const link = made("a", { href: "#" + (line.closest(".step[id]")?.id ?? "") });
      const shown = one(".t mrow", line)?.cloneNode(true);
      if (shown) { const math = document.createElementNS("http://www.w3.org/1998/Math/MathML", "math"); math.append(shown); link.append(math, " "); }
      link.append(made("span", { textContent: heading(line) }));
      link.addEventListener("click", (event) => {
        event.preventDefault();
        visit(line);
      });
      return made("li", {}, link);
    });
    return [made("h3", { textContent: title }), made("ol", {}, ...items)];
  };
  const visit = (line) => {
    reach(line);
    unfold(line);
    line.scrollIntoView({ block: "center" });
    stand(line);
  };
  const ofPart = (p) => {
    const has = (key) => placesOf(key).includes(p);
    const makes = lines.filter((line) => has(gives(line)));
    return [makes, lines.filter((line) => !makes.includes(line) && takes(line).some(has))];
  };
  const openUses = (p) => {
    const [makes, used] = ofPart(p);
    if (!makes.length && !used.length) return false;
    closeUses(false);
    one("#about").textContent = said("about", { name: p.name });
    one("div", uses).replaceChildren(...listed(words.makes, makes), ...listed(words.takes, used));
    makes.forEach((line) => line.classList.add("makes"));
    used.forEach((line) => line.classList.add("takes"));
    if (mode !== "step") light([p], []);
    asker = p.focus;
    uses.hidden = false;
    one("#about").focus();
    return true;
  };
  const closeUses = (back = true) => {
    if (uses.hidden) return;
    uses.hidden = true;
    every(".makes, .takes").forEach((e) => e.classList.remove("makes", "takes"));
    if (mode !== "step") light([], []);
    if (back) asker?.focus();
    asker = null;
  };
  const asking = (p) => (event) => {
    if (event.type === "keydown" ? event.key !== "Enter" && event.key !== " " : event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (openUses(p)) event.preventDefault();
  };
  const askable = () => {
    for (const p of askables) {
      p.label = one("title", p.element)?.textContent || p.id;
      p.name = p.label.split(" = ")[0].split(" · ")[0];
      p.focus = one("a", p.element) ?? p.element;
      drawn(p).forEach((e) => e.addEventListener("click", asking(p)));
      p.focus.setAttribute("role", "button");
      p.focus.setAttribute("tabindex", "0");
      p.focus.setAttribute("aria-label", p.label);
      p.focus.addEventListener("keydown", asking(p));
    }
    svg?.setAttribute("role", "group");
  };

  // buttons and keys -----------------------------------------------------------------------------------------------------------
  const ACTS = { back: () => go(at - 1), next: () => go(at + 1), keys: () => one("#keys").showModal(), close: () => one("#keys").close() };
  const STEPS = { ArrowRight: () => at + 1, ArrowLeft: () => at - 1, Home: () => 0, End: () => lines.length - 1, " ": () => at + 1 };
  const clicked = (event) => {
    const button = event.target.closest("button"), hidden = event.target.closest(".covered");
    if (hidden) { event.preventDefault(); uncover(hidden); }
    else if (button?.dataset.to) change(button.dataset.to);
    else if (button?.dataset.act) ACTS[button.dataset.act]();
    else if (button?.matches("#uses button")) closeUses();
  };
  const pressed = (event) => {
    const on = event.target, field = on.matches("input, textarea, select, [contenteditable]");
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || one("#keys").open) return;
    if (field && on.matches(".try input") && event.key === "Enter") {
      event.preventDefault();
      if (answered(on)) every(".try input").find((e) => on.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING)?.focus();
      return;
    }
    if (field) return;
    if (on.matches(".covered") && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); uncover(on); }
    else if (event.key === "?") ACTS.keys();
    else if (event.key === "Escape") uses.hidden ? change("read") : closeUses();
    else if (mode === "step" && event.key in STEPS && !event.shiftKey && !(event.key === " " && on.matches("a, button, summary, [role=button]"))) {
      event.preventDefault();
      go(STEPS[event.key]());
    }
  };

  if (lines.length) {
    for (const [name, needed] of [["numbers", ".n, .v"], ["results", ".v"], ["try", "[data-value]"]]) {
      const button = one(`button[data-to=${name}]`, bar);
      if (button) button.hidden = !one(needed, one("main"));
    }
    document.addEventListener("click", clicked);
    document.addEventListener("keydown", pressed);
    document.addEventListener("change", (event) => event.target.matches(".try input") && answered(event.target));
    askable();
    bar.hidden = false;
    document.documentElement.classList.add("barred");
  }
  addEventListener("hashchange", follow);
  if (location.hash) follow();
})();
