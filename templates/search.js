<# The search: titles that hold every word typed, best first. index: [title, address, part] of every page and section. #>
(() => {
  const index = << index >>;
  const root = document.currentScript.dataset.root;
  const plain = text => text.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  const known = index.map(([title, address, part]) => [plain(title), title, address, part]);
  const form = document.querySelector("form.search"), box = form.querySelector("input"), list = form.querySelector("ol");
  form.hidden = false;
  const find = () => {
    const words = plain(box.value).split(/\s+/).filter(Boolean);
    const hits = words.length ? known.filter(([text]) => words.every(word => text.includes(word))) : [];
    hits.sort((a, b) => (b[0].startsWith(words[0]) - a[0].startsWith(words[0])) || (a[0].length - b[0].length));
    list.replaceChildren(...hits.slice(0, 12).map(([, title, address, part]) => {
      const item = document.createElement("li"), link = document.createElement("a"), where = document.createElement("small");
      link.href = root + address; link.textContent = title; where.textContent = part;
      link.append(where); item.append(link);
      return item;
    }));
    list.hidden = !hits.length;
  };
  box.addEventListener("input", find);
  form.addEventListener("submit", event => { event.preventDefault(); list.querySelector("a")?.click(); });
  form.addEventListener("keydown", event => { if (event.key === "Escape") { box.value = ""; find(); } });
})();
