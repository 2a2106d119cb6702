/* Before signing out with unsent work: what would stay on this tablet only, a backup of it, and the way out. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const { h, button, linkButton, notice, bytes, count } = Tablet.dom;

  async function show() {
    const packs = await Tablet.store.packs();
    const unsent = await Promise.all(packs.map((taken) => Tablet.store.unsent(taken.survey)));
    const left = packs.map((taken, n) => ({ taken, ...unsent[n] })).filter((one) => one.answers || one.photos || one.rejected || one.drafts);
    const words = (one) => [Tablet.line.waitingWords({ unsentAnswers: one.answers, unsentPhotos: one.photos }), one.rejected && count(one.rejected, "entry refused", "entries refused"), Tablet.line.draftWords(one.drafts)].filter(Boolean).join(". ");
    const said = h("p", { role: "status" });
    const form = h("form", { method: "post", action: "/sign-out" }, h("input", { type: "hidden", name: "csrf_token" }), h("button", { type: "submit", class: `usa-button button button--${left.length ? "danger" : "filled"}` }, left.length ? "Sign out all the same" : "Sign out"));
    form.addEventListener("submit", async (event) => {
      if (form.dataset.ready) return;
      event.preventDefault();
      try {
        const answer = await fetch("/tablet/me.json", { credentials: "same-origin", headers: { Accept: "application/json" } });
        const me = await answer.json();
        if (!me.signed_in) {
          said.textContent = "You are signed out already.";
          return;
        }
        form.elements.csrf_token.value = me.csrf || "";
        form.dataset.ready = "yes";
        form.submit();
      } catch {
        said.textContent = "The server cannot be reached now; signing out needs a network.";
      }
    });
    const now = button("Send now", async () => {
      now.setAttribute("aria-busy", "true");
      said.textContent = "Sending…";
      await Tablet.sender.now();
      said.textContent = "";
      Tablet.app.again();
    }, { kind: "filled", mark: "upload" });
    return {
      title: "Before you sign out",
      parts: [Tablet.start.header(), Tablet.start.main(Tablet.frame.page("Before you sign out",
        left.length
          ? [notice("due", "This tablet holds work that has not been sent", h("p", {}, "It stays on this tablet when you sign out, and is sent when you sign in here again. Clearing the browser's data would destroy it: save a backup file first if you are not coming back.")),
            h("ul", { class: "tablet-surveys" }, left.map((one) => h("li", { class: "card tablet-survey" },
              h("div", { class: "tablet-survey__words" }, h("h2", {}, one.taken.pack.survey.practice), h("p", {}, `${words(one)}.`)),
              h("div", { class: "tablet-survey__acts" }, button("Save a backup file", async () => {
                try {
                  const made = await Tablet.backup.save(one.taken.survey);
                  said.textContent = `Backup file made: ${count(made.answers, "answer")}, ${count(made.photos, "photo")}${made.drafts ? `, ${count(made.drafts, "draft")}` : ""}, ${bytes(made.size)}.`;
                } catch (error) { Tablet.app.failed(error, "The backup file was not made. "); }
              }, { kind: "outline", mark: "download", also: `of ${one.taken.pack.survey.practice}` }), linkButton("What has not been sent", `#/${one.taken.survey}/outbox`, { kind: "quiet" })))))]
          : notice("met", "Nothing waits to be sent", h("p", {}, "You can sign out without leaving anything behind.")),
        said,
        h("div", { class: "form-actions" }, left.length ? now : null, linkButton("Stay signed in", "#/", { kind: "outline" }), form)))],
    };
  }

  Tablet.leaving = { show };
})();
