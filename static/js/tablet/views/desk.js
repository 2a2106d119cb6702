/* The survey that is open, in memory: what every screen reads. An answer changes one entry and the sums it is part of, never the whole. */
(() => {
  "use strict";

  const Tablet = globalThis.Tablet;
  const keyOf = (site, about, field) => `${site}|${about || ""}|${field}`;
  const RATED = { yes: "met", no: "not_met", na: "not_applicable" };

  class Desk {
    constructor(taken, answers, conflicts, photos) {
      this.taken = taken;
      this.pack = taken.pack;
      this.survey = taken.survey;
      this.zone = this.pack.survey.zone;
      this.sites = this.pack.sites.filter((site) => site.visited !== false);
      this.allSites = this.pack.sites;
      this.standards = new Map();
      this.elements = new Map();
      for (const domain of this.pack.domains) {
        for (const standard of domain.standards) {
          this.standards.set(standard.code, { standard, domain, mini: { ...this.pack, domains: [{ ...domain, standards: [standard] }] } });
          for (const element of standard.elements) this.elements.set(element.id, { element, standard, domain });
        }
      }
      this.codes = Array.from(this.standards.keys());
      this.listeners = new Set();
      this.fill(answers, conflicts, photos);
    }

    /** Take in what the store holds; everything that is counted is counted anew. */
    fill(answers, conflicts, photos) {
      this.answers = new Map();
      this.byPlace = new Map();
      for (const answer of answers) this.put(answer);
      this.takeConflicts(conflicts);
      this.takePhotos(photos);
      this.marks = new Map();
      this.sums = new Map();
      for (const site of this.sites) {
        this.sums.set(site.id, { elements: 0, answered: 0, notMet: 0 });
        for (const code of this.codes) this.judge(site.id, code);
      }
      this.gaps = null;
      this.gapCount = 0;
    }

    put(answer) {
      const about = answer.element || "";
      this.answers.set(keyOf(answer.site, about, answer.field), answer);
      // What is said of one standard or element of a site, found without looking through the rest.
      const entry = this.elements.get(about);
      const place = `${answer.site}|${entry ? entry.standard.code : about}`;
      if (!this.byPlace.has(place)) this.byPlace.set(place, new Map());
      this.byPlace.get(place).set(`${about}|${answer.field}`, answer);
    }

    takeConflicts(conflicts) {
      this.conflicts = conflicts;
      this.conflictByKey = new Map(conflicts.map((one) => [keyOf(one.site, one.element, one.field), one]));
    }

    takePhotos(photos) {
      this.photos = new Map(photos.map((photo) => [photo.uuid, photo]));
      this.photosByPlace = new Map();
      for (const photo of photos) this.placePhoto(photo);
    }

    placePhoto(photo) {
      this.photos.set(photo.uuid, photo);
      for (const list of this.photosByPlace.values()) list.delete(photo.uuid);
      if (photo.state === "discarded") return;
      for (const about of photo.about && photo.about.length ? photo.about : [""]) {
        const place = `${photo.site}|${about}`;
        if (!this.photosByPlace.has(place)) this.photosByPlace.set(place, new Set());
        this.photosByPlace.get(place).add(photo.uuid);
      }
    }

    photosAbout(site, about) {
      return Array.from(this.photosByPlace.get(`${site}|${about}`) || [], (uuid) => this.photos.get(uuid));
    }

    site(id) { return this.allSites.find((site) => site.id === Number(id)); }
    answer(site, about, field) { return this.answers.get(keyOf(site, about, field)); }
    value(site, about, field) {
      const found = this.answer(site, about, field);
      return found ? found.value : null;
    }
    conflict(site, about, field) { return this.conflictByKey.get(keyOf(site, about, field)); }
    answersOf(site, code) { return Array.from((this.byPlace.get(`${site}|${code}`) || new Map()).values()); }

    /** What one standard at one site comes to; its share in the sums is replaced. */
    judge(site, code) {
      const { standard } = this.standards.get(code);
      const said = { answered: 0, no: 0, na: 0, conflict: 0, elements: standard.elements.length };
      for (const element of standard.elements) {
        const rating = this.value(site, element.id, "rating");
        if (this.conflictByKey.has(keyOf(site, element.id, "rating"))) said.conflict += 1;
        if (rating) said.answered += 1;
        if (rating === "no") said.no += 1;
        if (rating === "na") said.na += 1;
      }
      const key = `${site}|${code}`;
      const before = this.marks.get(key);
      const sums = this.sums.get(site);
      if (!sums) return;
      if (before) {
        sums.answered -= before.answered;
        sums.notMet -= before.no;
      } else sums.elements += said.elements;
      sums.answered += said.answered;
      sums.notMet += said.no;
      this.marks.set(key, said);
    }

    /** One word for a standard at a site: conflict, not_met, open, met, not_applicable. */
    mark(site, code) {
      const said = this.marks.get(`${site}|${code}`);
      if (!said) return "open";
      if (said.conflict) return "conflict";
      if (said.no) return "not_met";
      if (said.answered < said.elements) return "open";
      if (this.gapsOf(site, code).length) return "lacking";
      return said.na === said.elements ? "not_applicable" : "met";
    }

    /** What is still missing at one standard, by the same rules as the server's. */
    gapsOf(site, code) {
      const entry = this.standards.get(code);
      return entry ? Tablet.rules.gaps(entry.mini, this.answersOf(site, code), site) : [];
    }

    /** What is missing in the whole survey; counted once, then kept by each change. */
    countGaps() {
      if (this.gaps) return this.gapCount;
      this.gaps = new Map();
      for (const gap of Tablet.rules.gaps(this.pack, Array.from(this.answers.values()))) {
        const key = `${gap.site}|${gap.standard}`;
        if (!this.gaps.has(key)) this.gaps.set(key, []);
        this.gaps.get(key).push(gap);
      }
      this.gapCount = 0;
      for (const list of this.gaps.values()) this.gapCount += list.length;
      return this.gapCount;
    }

    allGaps() {
      this.countGaps();
      return Array.from(this.gaps.values()).flat();
    }

    regap(site, code) {
      if (!this.gaps || !this.standards.has(code)) return;
      const key = `${site}|${code}`;
      const now = this.gapsOf(site, code);
      this.gapCount += now.length - (this.gaps.get(key) || []).length;
      this.gaps.set(key, now);
    }

    /** Believe one answer, and tell the screen that shows it. */
    believe(answer) {
      this.put(answer);
      const entry = this.elements.get(answer.element || "");
      const code = entry ? entry.standard.code : this.standards.has(answer.element || "") ? answer.element : null;
      if (code) {
        this.judge(answer.site, code);
        this.regap(answer.site, code);
      }
      this.tell({ site: answer.site, element: answer.element || "", field: answer.field, code });
    }

    /** Write one answer into the journal; only when it is kept does this resolve. */
    async record(site, about, field, value, base) {
      const entry = { site: Number(site), element: about || null, field, value };
      if (base !== undefined) entry.base = base;
      const kept = await Tablet.journal.record(this.survey, entry);
      this.believe({ ...(this.answer(site, about, field) || {}), ...entry, element: about || "", at: new Date().toISOString(), by: this.taken.person.name, mine: true, open_op: (kept && kept.op) || true });
      return kept;
    }

    /** Write several answers as one; all are kept, or none. */
    async recordMany(entries) {
      await Tablet.journal.recordMany(this.survey, entries.map((one) => ({ ...one, element: one.element || null })));
      const at = new Date().toISOString();
      for (const one of entries) this.believe({ ...(this.answer(one.site, one.element, one.field) || {}), ...one, element: one.element || "", at, by: this.taken.person.name, mine: true, open_op: true });
    }

    tell(what) { for (const run of this.listeners) run(what); }
    listen(run) {
      this.listeners.add(run);
      return () => this.listeners.delete(run);
    }

    /** Notes of the whole survey, newest first. */
    notes() {
      const found = [];
      for (const answer of this.answers.values()) {
        if (answer.field.startsWith("note:") && answer.value) found.push({ uuid: answer.field.slice(5), answer, ...answer.value });
      }
      return found.sort((a, b) => String(b.answer.at).localeCompare(String(a.answer.at)));
    }
  }

  let current = null;
  const shelf = (survey) => Promise.all([Tablet.store.answers(survey), Tablet.store.conflicts(survey), Tablet.store.photos(survey)]);

  /** Return the desk of a survey taken on this tablet, null when it was not taken. */
  async function open(survey, fresh = false) {
    if (current && current.survey === survey && !fresh) return current;
    const taken = await Tablet.store.pack(survey);
    if (!taken) return null;
    current = new Desk({ ...taken, survey }, ...(await shelf(survey)));
    return current;
  }

  /** Read again what the store holds of the open survey: something changed from elsewhere. */
  async function refresh(keys) {
    const desk = current;
    if (!desk) return;
    const [answers, conflicts, photos] = await shelf(desk.survey);
    const before = new Map(desk.answers);
    const counted = desk.gaps !== null;
    desk.fill(answers, conflicts, photos);
    if (counted) desk.countGaps();
    const changed = [];
    for (const [key, answer] of desk.answers) {
      const old = before.get(key);
      if (!old || JSON.stringify(old.value) !== JSON.stringify(answer.value)) changed.push(answer);
    }
    desk.tell({ all: true, changed, keys });
  }

  Tablet.desk = { open, refresh, current: () => current, forget: () => { current = null; }, keyOf, RATED };
})();
