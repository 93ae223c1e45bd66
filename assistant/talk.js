// What the browser does with the conversation: it keeps it, copies an answer, saves it as a file, and says how things stand.
const KEY = "jiading.talk", MAX_BYTES = 140000, SLOW_MS = 3000, COPIED_MS = 2000;
const whole = () => [...element.querySelectorAll(".exchange[data-kept]")];
const state = (text) => {
  const place = document.querySelector("#state");
  place.textContent = text;
  place.hidden = !text;
};
const forget = () => { try { localStorage.removeItem(KEY); } catch { /* the browser keeps nothing */ } };

let seen = false;
const keep = () => {
  const answers = whole().map((one) => one.dataset.kept);
  document.querySelector("#download").hidden = !answers.length;
  if (!element.querySelector(".exchange")) return seen && forget();
  seen = true;
  const size = (list) => new TextEncoder().encode(`[${list.join(",")}]`).length;
  while (size(answers) > MAX_BYTES) answers.shift();
  try { if (answers.length) localStorage.setItem(KEY, `[${answers.join(",")}]`); } catch { /* full, or not allowed */ }
};
document.addEventListener("click", (event) => { if (event.target.closest("#clear")) forget(); });

const copy = async (text) => {
  try { return await navigator.clipboard.writeText(text); } catch { /* only a page of https or of this machine may */ }
  const box = document.body.appendChild(document.createElement("textarea"));
  box.value = text;
  box.select();
  const copied = document.execCommand("copy");
  box.remove();
  if (!copied) throw new Error("not copied");
};
element.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  try {
    await copy(button.closest(".exchange").dataset.text);
    button.textContent = "已复制";
  } catch { button.textContent = "没有复制成，请选中文字后复制"; }
  button.focus();
  setTimeout(() => { button.textContent = "复制"; }, COPIED_MS);
});

const line = (text) => text.replace(/\s+/g, " ").trim();
const markdown = () => ["# 嘉定产业园区与政策问答\n", ...whole().map((one) => {
  const { question, generation } = JSON.parse(one.dataset.kept);
  return `## ${line(question)}\n\n${one.dataset.text.trim()}\n\n资料版本：${generation}\n`;
})].join("\n");
document.addEventListener("click", (event) => {
  if (!event.target.closest("#download")) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([markdown()], { type: "text/markdown;charset=utf-8" }));
  link.download = `问答-${new Date().toLocaleDateString("sv")}.md`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
});

// A question under way: still looked for, or cut off.
let waiting = 0;
const look = async (question) => {
  const pending = element.querySelector(".pending");
  if (!pending) return state("");
  try {
    const answer = await fetch("healthz", { cache: "no-store", signal: AbortSignal.timeout(SLOW_MS) });
    if (!answer.ok) throw new Error(answer.status);
    pending.textContent = "还在查找……";
    state("");
  } catch {
    pending.textContent = "没有查完。";
    state("连接断了，回答没有送到。您的问题仍在输入框里，连上以后请再发送。");
    const box = document.querySelector("#question textarea");
    if (!box.value) {
      box.value = question;
      box.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
  waiting = setTimeout(look, SLOW_MS, question);
};
const wait = () => {
  clearTimeout(waiting);
  const pending = element.querySelector(".pending");
  if (!pending) return state("");
  const asked = pending.closest(".exchange").querySelector(".question").lastChild.textContent;
  waiting = setTimeout(look, SLOW_MS, asked);
};
new MutationObserver((changes) => {
  if (changes.every((change) => change.target.closest?.(".pending, [data-copy]"))) return;
  keep();
  wait();
}).observe(element, { childList: true, subtree: true });
