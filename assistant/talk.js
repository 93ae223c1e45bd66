// What the browser does with the conversation: it hands it on to be kept, copies an answer, saves it as a file, and says how things stand.
const SLOW_MS = 3000, COPIED_MS = 2000;
const whole = () => [...element.querySelectorAll(".exchange[data-kept]")];
const state = (text) => {
  const place = document.querySelector("#state");
  place.textContent = text;
  place.hidden = !text;
};
const keep = () => {
  document.querySelector("#download").hidden = !whole().length;
  const talk = element.querySelector("[data-talk]");
  if (talk) window.keepTalk(talk.dataset.talk, whole().map((one) => JSON.parse(one.dataset.kept)));
};

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
    button.textContent = {{ _("已复制") | tojson }};
  } catch { button.textContent = {{ _("没有复制成，请选中文字后复制") | tojson }}; }
  button.focus();
  setTimeout(() => { button.textContent = {{ _("复制") | tojson }}; }, COPIED_MS);
});

const line = (text) => text.replace(/\s+/g, " ").trim();
const markdown = () => [`# ${ {{ _("嘉定产业园区与政策问答") | tojson }} }\n`, ...whole().map((one) => {
  const { question, generation } = JSON.parse(one.dataset.kept);
  return `## ${line(question)}\n\n${one.dataset.text.trim()}\n\n${ {{ _("资料版本：") | tojson }} }${generation}\n`;
})].join("\n");
document.addEventListener("click", (event) => {
  if (!event.target.closest("#download")) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([markdown()], { type: "text/markdown;charset=utf-8" }));
  link.download = `${ {{ _("问答") | tojson }} }-${new Date().toLocaleDateString("sv")}.md`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
});

// A connection that breaks off: what is written stays, and the page is loaded anew as soon as the server is there again.
const DRAFT = "jiading.draft", AGAIN_MS = 2000, real = window.fetch;
const box = () => document.querySelector("#question textarea");
const write = (text) => {
  box().value = text;
  box().dispatchEvent(new Event("input", { bubbles: true }));
};
let cut = false;
const back = async () => {
  try {
    if ((await real("/healthz", { cache: "no-store", signal: AbortSignal.timeout(SLOW_MS) })).ok) {
      try { sessionStorage.setItem(DRAFT, box().value); } catch { /* the browser keeps nothing */ }
      return location.reload();
    }
  } catch { /* not yet */ }
  setTimeout(back, AGAIN_MS);
};
const lost = () => {
  if (cut) return;
  cut = true;
  const pending = element.querySelector(".pending");
  if (pending) {
    pending.textContent = {{ _("没有查完。") | tojson }};
    if (!box().value) write(pending.closest(".exchange").querySelector(".question").lastChild.textContent);
  }
  state({{ _("连接断了，正在重新连接。您写的内容还在，连上以后请再发送。") | tojson }});
  setTimeout(back, AGAIN_MS);
};
const REFUSED = {
  413: {{ _("内容太长，请精简后再发送。") | tojson }},
  429: {{ _("提问太频繁，请稍后再试。") | tojson }},
  503: {{ _("现在提问的人太多，请稍后再试。") | tojson }},
};
window.fetch = async (address, ...more) => {
  const path = new URL(address.url ?? address, location.href).pathname;
  try {
    const answer = await real(address, ...more);
    if (path.endsWith("/app_id")) lost();  // asked for only when a connection broke off
    if (path.endsWith("/queue/join")) state(answer.ok ? "" : REFUSED[answer.status] ?? {{ _("没有发送成，请重新打开网页再试。") | tojson }});
    return answer;
  } catch (error) {
    if (error.name === "TypeError") lost();
    throw error;
  }
};
window.addEventListener("offline", lost);
try {
  const draft = sessionStorage.getItem(DRAFT);
  sessionStorage.removeItem(DRAFT);
  if (draft) {
    const until = setInterval(() => { if (box()) { clearInterval(until); if (!box().value) write(draft); } }, 100);
  }
} catch { /* the browser keeps nothing */ }

// A question under way that takes long.
let waiting = 0;
const wait = () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const pending = element.querySelector(".pending");
    if (pending && !cut) pending.textContent = {{ _("还在查找……") | tojson }};
  }, SLOW_MS);
};
new MutationObserver((changes) => {
  if (changes.every((change) => change.target.closest?.(".pending, [data-copy]"))) return;
  keep();
  wait();
}).observe(element, { childList: true, subtree: true });
