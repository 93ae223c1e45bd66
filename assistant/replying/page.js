// The reply page: everything that is kept lies with the server; what is being written stays here until it is saved.
(() => {
  const $ = (place, from = document) => from.querySelector(place);
  const ROLES = { title: "标题", salutation: "称呼", opening: "开头", heading: "小标题", answer: "答复", basis: "依据",
    contact: "联系方式", closing: "结语", signature: "落款", date: "日期", body: "正文" };
  const MARKER = /\[\^(\d+)\]/g, WAIT_MS = 400;
  let reply = null, added = [], dirty = false, checking = null, timer = 0, undo = null, own = 0;

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => document.body.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", paint);
  paint();

  // --- what is said to the reader, and what is asked of the server
  const say = (text) => { $("#notice").textContent = text; };
  const fail = (error, ...buttons) => {
    if (error.name === "AbortError") return;
    $("#message").replaceChildren(error.message, ...(buttons.length ? [document.createElement("br")] : []), ...buttons);
    $("#message").scrollIntoView({ block: "nearest" });
  };
  const clear = () => { say(""); $("#message").replaceChildren(); };
  async function call(method, path, body, signal) {
    const sent = body instanceof Blob ? { body, headers: { "Content-Type": "application/octet-stream" } }
      : body ? { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } } : {};
    let answer;
    try {
      answer = await fetch(`reply/${path}`, { method, signal, ...sent });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Error("没有连上程序。请确认程序在运行，再试一次；写的内容还在这一页上。");
    }
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(told.error?.message || "没有完成，请稍后再试。"), { status: answer.status });
    return told;
  }
  const button = (text, act) => Object.assign(document.createElement("button"), { type: "button", textContent: text, onclick: act });
  async function busy(control, act) {
    clear();
    control.disabled = true;
    try { await act(); } catch (error) { fail(error); } finally { control.disabled = false; }
  }
  const readFile = (input, area) => input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    clear();
    if (file.size > 10_000_000) return fail(new Error("文件超过 10 MB，请只留来信正文。"));
    say("正在读取文件……");
    try {
      const kind = file.name.includes(".") ? file.name.split(".").pop() : "";
      area.value = (await call("POST", `letters?kind=${encodeURIComponent(kind)}`, new Blob([file]))).text;
      say("已读入。请核对读出的文字，再继续。");
    } catch (error) { say(""); fail(error); }
    input.value = "";
  });

  // --- the list
  async function list() {
    try { $("#list").innerHTML = (await call("GET", "replies")).html; } catch (error) { fail(error); }
  }
  readFile($("#letter-file"), $("#letter"));
  $("#new").addEventListener("submit", (event) => {
    event.preventDefault();
    busy($("#make"), async () => {
      if (!$("#letter").value.trim()) throw new Error("请先粘贴来信，或从文件读入。");
      say("正在起草……");
      try {
        const made = await call("POST", "replies", { letter: $("#letter").value, as_of: $("#as-of").value || null });
        $("#letter").value = "";
        location.hash = made.id;
      } finally { say(""); }
    });
  });
  const leave = () => !dirty || confirm("有没有保存的改动。离开就会丢掉这些改动，仍要离开吗？");
  $("#back").addEventListener("click", () => { if (leave()) { dirty = false; location.hash = ""; } });
  addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
  async function route() {
    const key = location.hash.slice(1);
    if (reply && key === reply.id) return;
    if (!leave()) { location.hash = reply.id; return; }
    clear();
    dirty = false;
    window.closeReader?.();
    if (!key) { reply = null; $("#reply").hidden = true; $("#start").hidden = false; return list(); }
    try { show(await call("GET", `replies/${key}`)); $("#opened").focus(); } catch (error) {
      reply = null; location.hash = ""; $("#reply").hidden = true; $("#start").hidden = false;
      await list(); fail(error);
    }
  }
  addEventListener("hashchange", route);

  // --- a reply
  function show(found, text = found.paragraphs, sources = found.references.slice(found.given)) {
    reply = found;
    const settled = sources.map(({ document_id, start, end, check }) => ({ document_id, start, end, check: check || "" }));
    added = settled;
    $("#start").hidden = true;
    $("#reply").hidden = false;
    $("#reply-head").innerHTML = found.head;
    $("#letter-side").innerHTML = found.letter;
    $("#history").innerHTML = found.history;
    $("#paragraphs").replaceChildren(...text.map(build));
    undo = null;
    $("#undo").hidden = true;
    $("#compared").replaceChildren();
    close();
    options($("#version"), found.versions.filter((one) => one.value !== "sent"), String(found.version));
    options($("#before"), found.versions.filter((one) => one.value !== "sent"), "1");
    options($("#after"), found.versions, found.versions.at(-1).value);
    for (const [id, name] of [["docx", "reply.docx"], ["md", "reply.md"]]) $(`#${id}`).href = `reply/replies/${found.id}/${name}?version=${found.version}`;
    $("#delete").disabled = !found.deletable;
    $("#delete-form").hidden = true;
    changed(false);
    number();
    judged(found);
  }
  function options(select, all, value) {
    select.replaceChildren(...all.map((one) => new Option(one.label, one.value, false, one.value === value)));
  }
  const drafted = (id) => reply.drafted.find((one) => one.id === id.split("/")[0]);
  function build({ id, role, text }) {
    const item = $("#paragraph").content.firstElementChild.cloneNode(true);
    item.dataset.id = id;
    item.dataset.role = role || drafted(id)?.role || "body";
    item.classList.add(item.dataset.role);
    const area = $("textarea", item);
    area.value = text;
    area.id = `text-${id}`;
    $(".findings", item).id = `findings-${id}`;
    area.setAttribute("aria-describedby", `findings-${id}`);
    area.readOnly = reply.state === "sent";
    $("label", item).htmlFor = area.id;
    $(".note", item).textContent = (drafted(id)?.notes || []).join("");
    mark(item, []);
    return item;
  }
  const items = () => [...document.querySelectorAll("#paragraphs > .paragraph")];
  const written = () => items().map((item) => ({ id: item.dataset.id, text: $("textarea", item).value }));
  function number() {
    items().forEach((item, at) => {
      const name = `第${at + 1}段 ${ROLES[item.dataset.role]}`;
      $("label", item).textContent = name;
      item.querySelectorAll("[data-do]").forEach((tool) => {
        tool.setAttribute("aria-label", `${tool.textContent}：${name}`);
        tool.disabled = reply.state === "sent";
      });
      chips(item);
    });
  }
  function chips(item) {
    const marked = [...$("textarea", item).value.matchAll(MARKER)].map((match) => Number(match[1]));
    const bound = [...new Set([...(drafted(item.dataset.id)?.references || []), ...marked])];
    const links = bound.map((one) => reply.references.find((reference) => reference.number === one)).filter(Boolean).map((one) => {
      const link = Object.assign(document.createElement("a"), { className: `chip${one.strong ? " strong" : ""}`, href: one.url, target: "document", title: one.quote });
      link.textContent = `${one.number} ${one.title}${one.label ? ` · ${one.label}` : ""}`;
      return link;
    });
    $(".chips", item).replaceChildren(...links);
  }

  // --- what is found in the text
  function mark(item, findings) {
    const chars = Array.from($("textarea", item).value), under = $(".under", item), parts = [];
    let at = 0;
    for (const one of [...findings].sort((a, b) => a.start - b.start)) {
      if (one.start < at) continue;
      parts.push(chars.slice(at, one.start).join(""));
      const found = Object.assign(document.createElement("mark"), { className: one.kind, textContent: chars.slice(one.start, one.end).join("") });
      parts.push(found);
      at = one.end;
    }
    under.replaceChildren(...parts, chars.slice(at).join("") + "\u200b");
    $(".findings", item).replaceChildren(...findings.filter((one) => one.kind !== "open").map((one) =>
      Object.assign(document.createElement("li"), { textContent: `“${one.text}”：${one.message}`, className: one.serious ? "" : "lesser" })));
  }
  function judged({ findings, risk }) {
    const all = items();
    all.forEach((item, at) => mark(item, findings.filter((one) => one.at === at)));
    $("#risk").innerHTML = risk;
    $("#risk").querySelectorAll(".where").forEach((place) => {
      const ids = place.dataset.paragraphs.split(" "), found = all.filter((item) => ids.includes(item.dataset.id));
      place.replaceChildren("第", ...found.flatMap((item, n) => {
        const link = Object.assign(document.createElement("a"), { href: `#${reply.id}`, textContent: all.indexOf(item) + 1, ariaLabel: `到第${all.indexOf(item) + 1}段` });
        link.addEventListener("click", (event) => { event.preventDefault(); $("textarea", item).focus(); item.scrollIntoView({ block: "center" }); });
        return n ? ["、", link] : [link];
      }), "段");
    });
  }
  async function recheck() {
    checking?.abort();
    checking = new AbortController();
    try { judged(await call("POST", `replies/${reply.id}/check`, { paragraphs: written(), added }, checking.signal)); } catch (error) { fail(error); }
  }
  function touched() {
    changed(true);
    clearTimeout(timer);
    timer = setTimeout(recheck, WAIT_MS);
  }
  function changed(now) {
    dirty = now;
    $("#dirty").textContent = now ? "有没有保存的改动；先保存，再办理。" : "";
    $("#save").disabled = (!now && reply.latest) || reply.state === "sent";
    $("#steps").querySelectorAll("[data-step]").forEach((one) => one.remove());
    $("#refusals").replaceChildren();
    for (const one of reply.steps) {
      const made = button(one.label, () => step(one.step, made));
      made.dataset.step = one.step;
      made.disabled = now || Boolean(one.refusal);
      $("#steps").append(made);
      if (one.refusal) $("#refusals").append(Object.assign(document.createElement("li"), { textContent: `不能${one.label}：${one.refusal}。` }));
    }
  }
  $("#paragraphs").addEventListener("input", (event) => {
    const item = event.target.closest(".paragraph");
    if (!event.target.matches(".field textarea")) return;
    mark(item, []);
    chips(item);
    touched();
  });

  // --- paragraphs are moved, split, added, removed
  function remember(text, back) {
    undo = back;
    $("#undo").hidden = false;
    say(text);
    number();
    touched();
  }
  $("#undo").addEventListener("click", () => {
    undo?.();
    undo = null;
    $("#undo").hidden = true;
    say("已撤销。");
    number();
    touched();
  });
  const fresh = () => { own += 1; return `own.${Date.now().toString(36)}.${own}`; };
  function insert(after) {
    const item = build({ id: fresh(), role: "body", text: "" });
    after ? after.after(item) : $("#paragraphs").append(item);
    remember("已加一段。", () => item.remove());
    $("textarea", item).focus();
  }
  $("#add").addEventListener("click", () => insert(null));
  const ACTS = {
    up(item) { move(item, item.previousElementSibling, "before"); },
    down(item) { move(item, item.nextElementSibling, "after"); },
    insert,
    remove(item) {
      const next = item.nextElementSibling, box = $("#paragraphs");
      item.remove();
      remember("已删去一段，可以撤销。", () => box.insertBefore(item, next?.isConnected ? next : null));
      $("#undo").focus();
    },
    split(item) {
      const area = $("textarea", item), at = area.selectionStart, text = area.value;
      if (!at || at >= text.length) { say("请先把光标放在要拆开的地方，再点“拆分”。"); area.focus(); return; }
      const part = build({ id: `${item.dataset.id.split("/")[0]}/${fresh().split(".").slice(1).join("_")}`, role: item.dataset.role, text: text.slice(at) });
      area.value = text.slice(0, at);
      item.after(part);
      remember("已拆成两段。", () => { area.value = text; part.remove(); });
      $("textarea", part).focus();
    },
    source(item) { look(item); },
  };
  function move(item, other, side) {
    if (!other) return;
    const next = item.nextElementSibling, box = $("#paragraphs");
    other[side](item);
    remember("已移动一段。", () => box.insertBefore(item, next));
    $(`[data-do="${side === "before" ? "up" : "down"}"]`, item).focus();
  }
  $("#paragraphs").addEventListener("click", (event) => {
    const tool = event.target.closest("[data-do]");
    if (tool) ACTS[tool.dataset.do](tool.closest(".paragraph"));
  });

  // --- another source
  function look(item) {
    $(".search")?.remove();
    const form = $("#search").content.firstElementChild.cloneNode(true);
    $(".field", item).after(form);
    $("input", form).focus();
    $("[data-close]", form).onclick = () => { form.remove(); $('[data-do="source"]', item).focus(); };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      busy($("[type=submit]", form), async () => {
        const query = $("input", form).value.trim();
        if (!query) throw new Error("请写要查找的内容。");
        const { hits } = await call("POST", `replies/${reply.id}/search`, { query });
        $(".hits", form).replaceChildren(...hits.map((hit) => offered(hit, item, form)));
        if (!hits.length) say("没有查到。");
      });
    });
  }
  function offered(hit, item, form) {
    const line = document.createElement("li"), link = Object.assign(document.createElement("a"), { href: hit.url, target: "document", textContent: hit.title });
    const text = Object.assign(document.createElement("p"), { textContent: hit.text });
    line.append(link, ` ${hit.place}${hit.label ? ` · ${hit.label}` : ""}`, text, button("引用到这一段", () => { form.remove(); cite(hit, item); }));
    return line;
  }
  function cite(hit, item) {
    const same = (one) => one.document_id === hit.document_id && one.start === hit.start && one.end === hit.end;
    let reference = reply.references.find(same);
    if (!reference) {
      added.push({ document_id: hit.document_id, start: hit.start, end: hit.end, check: hit.check });
      reference = { ...hit, number: reply.given + added.length, quote: `“${hit.text}”` };
      reply.references.push(reference);
    }
    const area = $("textarea", item);
    area.value = area.value.replace(/([。；]?)\s*$/, `[^${reference.number}]$1`);
    say(`已作为脚注 ${reference.number} 引用。`);
    chips(item);
    touched();
    area.focus();
  }

  // --- versions and steps
  async function store(seen) {
    show(await call("POST", `replies/${reply.id}/versions`, { paragraphs: written(), added, seen }));
    say("已保存为新的一版。");
  }
  $("#save").addEventListener("click", () => { clearTimeout(timer); clear(); store(reply.seen).catch(async (error) => {
    if (error.status !== 409) return fail(error);
    const newest = await call("GET", `replies/${reply.id}`).catch(() => null);
    if (!newest || newest.state === "sent") return fail(error);
    fail(error, button("仍然保存，放在对方的一版之后", () => { clear(); store(newest.seen).catch(fail); }),
      button("打开对方的一版（丢掉我的改动）", () => { clear(); show(newest); }));
  }); });
  const close = () => { $("#step-form").replaceChildren(); $("#step-form").hidden = true; };
  async function step(name, control) {
    if (name !== "sent" && name !== "returned") return busy(control, () => take(name, {}));
    const form = $(name === "sent" ? "#sending" : "#returning").content.firstElementChild.cloneNode(true);
    $("#step-form").replaceChildren(form);
    $("#step-form").hidden = false;
    const area = $("textarea", form);
    area.focus();
    if (name === "sent") readFile($("#sent-file", form), area);
    $("[data-close]", form).onclick = close;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      busy($("[type=submit]", form), () => take(name, { [name === "sent" ? "text" : "note"]: area.value }));
    });
  }
  async function take(name, more) {
    const label = reply.steps.find((one) => one.step === name).label;
    show(await call("POST", `replies/${reply.id}/steps`, { step: name, seen: reply.seen, ...more }));
    say(`已${label}。`);
  }
  $("#version").addEventListener("change", async () => {
    if (!leave()) { $("#version").value = String(reply.version); return; }
    clear();
    try { show(await call("GET", `replies/${reply.id}?version=${$("#version").value}`)); } catch (error) { fail(error); }
  });
  $("#compare").addEventListener("click", () => busy($("#compare"), async () => {
    const query = new URLSearchParams({ before: $("#before").value, after: $("#after").value });
    $("#compared").innerHTML = (await call("GET", `replies/${reply.id}/compare?${query}`)).html;
  }));
  $("#delete").addEventListener("click", () => { $("#delete-form").hidden = false; $("#delete-no").focus(); });
  $("#delete-no").addEventListener("click", () => { $("#delete-form").hidden = true; $("#delete").focus(); });
  $("#delete-yes").addEventListener("click", () => busy($("#delete-yes"), async () => {
    await call("DELETE", `replies/${reply.id}`);
    dirty = false;
    reply = null;
    location.hash = "";
    say("已删除。");
  }));
  route();
})();
