// Search in the index that lies beside the pages, and a button that copies code. The pages work
// without this script; nothing is fetched.
"use strict";
(() => {
  const up = document.body.dataset.up;
  const query = document.getElementById("query");
  const list = document.getElementById("found");
  const index = (window.gossanIndex || []).map(([title, place, where, text]) => ({
    title, place, where, text, name: title.toLowerCase(), all: (where + " " + text).toLowerCase(),
  }));
  let chosen = -1;

  // The sum over the words of the query; 0 as soon as one is found nowhere.
  const worth = (entry, words) => {
    let sum = 0;
    for (const word of words) {
      const at = entry.name.indexOf(word);
      if (entry.name === word) sum += 40;
      else if (at === 0) sum += 20;
      else if (at > 0) sum += /[\s_.-]/.test(entry.name[at - 1]) ? 14 : 8;
      else if (entry.all.includes(word)) sum += 3;
      else return 0;
    }
    return sum - Math.min(entry.name.length, 60) / 60;
  };

  const draw = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    list.replaceChildren();
    list.hidden = words.length === 0;
    chosen = -1;
    if (!words.length) return;
    const best = index.map((entry) => [worth(entry, words), entry]).filter(([sum]) => sum > 0)
      .sort((a, b) => b[0] - a[0]).slice(0, 15);
    for (const [, entry] of best) {
      const link = document.createElement("a");
      link.href = up + entry.place;
      for (const [tag, text] of [["strong", entry.title], ["small", entry.where], ["span", near(entry.text, words)]]) {
        link.append(Object.assign(document.createElement(tag), { textContent: text }));
      }
      list.append(Object.assign(document.createElement("li"), {}));
      list.lastChild.append(link);
    }
    if (!best.length) {
      list.append(Object.assign(document.createElement("li"), { textContent: "Nothing found. Try fewer words." }));
    }
  };

  // The text about the first word that is found.
  const near = (text, words) => {
    const at = Math.max(0, Math.min(...words.map((word) => text.toLowerCase().indexOf(word)).filter((i) => i >= 0), text.length) - 30);
    return (at > 0 && at < text.length ? "… " + text.slice(at) : text).slice(0, 120);
  };

  const choose = (step) => {
    const links = [...list.querySelectorAll("a")];
    if (!links.length) return;
    chosen = (chosen + step + links.length) % links.length;
    links.forEach((link, i) => link.classList.toggle("chosen", i === chosen));
    links[chosen].scrollIntoView({ block: "nearest" });
  };

  if (query && index.length) {
    query.parentElement.hidden = false;
    query.addEventListener("input", draw);
    query.addEventListener("focus", draw);
    query.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        choose(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Enter") {
        const links = list.querySelectorAll("a");
        if (links.length) location.href = links[Math.max(chosen, 0)].href;
        list.hidden = true;
      } else if (event.key === "Escape") {
        query.blur();
        list.hidden = true;
      }
    });
    document.addEventListener("click", (event) => {
      if (!event.target.closest(".search")) list.hidden = true;
      else if (event.target.closest("a")) list.hidden = true;
    });
    document.addEventListener("keydown", (event) => {
      const isTyping = /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName);
      if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        query.focus();
      }
    });
  }

  // The menu of a narrow window closes when a place on the same page is chosen.
  document.querySelector(".side").addEventListener("click", () => {
    document.getElementById("menu").checked = false;
  });
  document.querySelector('.side [aria-current]')?.scrollIntoView({ block: "nearest" });

  for (const block of document.querySelectorAll(".code")) {
    const button = Object.assign(document.createElement("button"), { textContent: "Copy", className: "copy", type: "button" });
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(typed(block.querySelector("pre")));
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    if (navigator.clipboard) block.append(button);
  }

  // Code as one types it: of examples and shells without prompts and answers.
  function typed(pre) {
    const lines = pre.textContent.replace(/\n$/, "").split("\n");
    const asked = /^(>>> |\.\.\. |\$ )/;
    return (lines.some((line) => asked.test(line))
      ? lines.filter((line) => asked.test(line) || line === "...").map((line) => line.replace(asked, "").replace(/^\.\.\.$/, ""))
      : lines).join("\n");
  }
})();
