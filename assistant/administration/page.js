"use strict";
const LONGEST = 50_000_000; // bytes of a file
for (const input of document.querySelectorAll("input[type=file]")) {
  input.addEventListener("change", () => {
    const long = input.files.length && input.files[0].size > LONGEST;
    input.setCustomValidity(long ? "文件超过 50 MB，请拆分后再传" : "");
    input.reportValidity();
  });
}
// While the index is brought up to date, say how far it is; when that ends, show the page as it then is.
const progress = document.getElementById("progress");
async function look() {
  try {
    const answer = await fetch("/admin/progress", { cache: "no-store" });
    const now = answer.ok ? await answer.json() : { running: true };
    if (!now.running) {
      finished();
      return;
    }
    if (now.stage) document.getElementById("stage").textContent = now.stage + (now.total ? ` ${now.done} / ${now.total}` : "");
  } catch {
    // the server may be restarting; look again
  }
  setTimeout(look, 1000);
}
function finished() {
  if (location.pathname === "/admin/index") location.reload();
  else {
    const link = Object.assign(document.createElement("a"), { href: "/admin/index", textContent: "查看结果" });
    const told = Object.assign(document.createElement("p"), { className: "notice", textContent: "索引更新结束。" });
    told.append(link);
    progress.replaceChildren(told);
  }
}
if (progress.dataset.running === "yes") setTimeout(look, 500);
