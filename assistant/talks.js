// The conversations that the browser keeps: written down as they grow, listed, opened, deleted; and what answers are limited to.
const TALKS = "jiading.talks", LIMITS = "jiading.limits", OWNER = "jiading.owner", OPEN = "jiading.open", ONE = "jiading.talk";
const MOST = 20, MAX_BYTES = 140000;  // conversations; bytes of each
const dialog = element.querySelector("dialog"), row = element.querySelector("template").content;
const stored = (place, key) => { try { return JSON.parse(window[place].getItem(key)); } catch { return null; } };
const store = (place, key, value) => {
  try { window[place].setItem(key, JSON.stringify(value)); return true; } catch { return false; }  // full, or not allowed
};
const list = (found) => Array.isArray(found) ? found : [];
const talks = () => list(stored("localStorage", TALKS)).filter((one) => one?.id && one.answers?.[0]?.question);
const save = (all) => { while (!store("localStorage", TALKS, all) && all.length) all.pop(); };
const forget = () => { try { [TALKS, LIMITS, ONE].forEach((key) => localStorage.removeItem(key)); } catch { /* nothing is kept */ } };
const today = () => new Date().toLocaleDateString("sv");
const shown = () => document.querySelector("#talk [data-talk]")?.dataset.talk;

const left = new Set();  // conversations that were put away here: an answer under way must not bring one back
window.keepTalk = (id, answers) => {
  const size = () => new TextEncoder().encode(JSON.stringify(answers)).length;
  while (answers.length > 1 && size() > MAX_BYTES) answers.shift();
  const all = talks(), before = all.find((one) => one.id === id);
  if (left.has(id) || !answers.length || JSON.stringify(before?.answers) === JSON.stringify(answers)) return;
  const title = before?.title ?? answers[0].question;
  save([{ id, title, day: today(), answers }, ...all.filter((one) => one !== before)].slice(0, MOST));
  store("sessionStorage", OPEN, id);
};
const leave = () => {
  if (shown()) left.add(shown());
  store("sessionStorage", OPEN, "");
};
document.addEventListener("click", (event) => { if (event.target.closest("#new")) leave(); }, true);

const show = () => {
  const all = talks();
  element.querySelector("ul").replaceChildren(...all.map((one) => {
    const item = row.cloneNode(true), [open, away] = item.querySelectorAll("button");
    open.querySelector("span").textContent = one.title;
    open.querySelector("time").textContent = one.day;
    if (one.id === shown()) open.setAttribute("aria-current", "true");
    away.setAttribute("aria-label", `${away.textContent}：${one.title}`);
    item.firstElementChild.dataset.id = one.id;
    return item;
  }));
  element.querySelector(".none").hidden = all.length > 0;
  element.querySelector("#forget-talks").hidden = !all.length;
};
const remove = (gone) => {
  save(talks().filter((one) => !gone(one.id)));
  if (gone(shown())) document.querySelector("#new").click();
  show();
  (element.querySelector("li button") ?? element.querySelector("#close-talks")).focus();
};
document.addEventListener("click", (event) => {
  if (!event.target.closest("#show-talks")) return;
  show();
  dialog.showModal();
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("button"), id = button?.closest("li")?.dataset.id;
  if (button?.id === "close-talks") dialog.close();
  if (button?.id === "forget-talks" && confirm(button.dataset.sure)) remove(() => true);
  if (button?.matches("[data-delete]")) remove((one) => one === id);
  if (button?.matches("[data-talk]")) {
    const found = talks().find((one) => one.id === id);
    dialog.close();
    if (!found) return;
    leave();
    left.delete(id);
    store("sessionStorage", OPEN, id);
    window.closeReader?.();
    trigger("open", { id, answers: JSON.stringify(found.answers) });
    document.querySelector("#question textarea")?.focus();
  }
});

// The page is loaded, and says who is signed in: what somebody else left here goes, what is one's own is read back.
const begin = (who) => {
  if ((stored("localStorage", OWNER) ?? who) !== who) forget();
  store("localStorage", OWNER, who);
  const one = list(stored("localStorage", ONE)).filter((answer) => answer?.question);  // of the time when one was kept
  if (one.length) save([{ id: crypto.randomUUID?.() ?? `${Date.now()}`, title: one[0].question, day: today(), answers: one }, ...talks()]);
  try { localStorage.removeItem(ONE); } catch { /* nothing is kept */ }
  const open = stored("sessionStorage", OPEN), found = talks().find(({ id }) => open === null || id === open);
  const limits = list(stored("localStorage", LIMITS));
  if (found || limits.length) trigger("restore", { id: found?.id ?? "", answers: JSON.stringify(found?.answers ?? []), limits });
  const place = document.querySelector("#limits"), chosen = () => [...place.querySelectorAll("[data-limit]")].map((button) => button.dataset.limit);
  new MutationObserver(() => store("localStorage", LIMITS, chosen())).observe(place, { childList: true, subtree: true });
};
const who = () => document.querySelector("#links nav")?.dataset.who;
const wait = setInterval(() => {
  if (who() === undefined) return;
  clearInterval(wait);
  begin(who());
}, 50);
window.addEventListener("storage", ({ key, oldValue }) => {  // somebody signed out or in, in another window
  if (key === null || (key === OWNER && oldValue !== null)) location.reload();
});
window.addEventListener("pageshow", ({ persisted }) => { if (persisted) location.reload(); });  // went back to it, perhaps signed out
