import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { refusalOf } from "../../../main/engine/preference/filters/filter.ts";
import { filterRegistry } from "../../../main/engine/preference/filters/registry.ts";
import { Filters } from "../../../main/engine/recipe/filters.ts";
import { filterReasons } from "../../../main/shared/filter-reasons.ts";
import { DEFAULT_MARKERS } from "../../../main/shared/markers.ts";

const filtersDir = join(import.meta.dirname, "../../../main/engine/preference/filters");

describe("the list of filters", () => {
  const listed = Object.values(filterRegistry).flat();

  test("holds every file, and each says a reason that is known in words", () => {
    const files = readdirSync(filtersDir, { recursive: true, encoding: "utf8" }).filter((file) =>
      /[/\\][\w-]+\.ts$/.test(file),
    );
    expect(files.length).toBeGreaterThan(25);
    expect(listed).toHaveLength(files.length);
    const registry = readFileSync(join(filtersDir, "registry.ts"), "utf8");
    for (const file of files) expect(registry).toContain(file.replaceAll("\\", "/"));
    for (const { reason } of listed) expect(filterReasons[reason]).toBeTruthy();
  });

  test("accounts for every reason but those that the steps give themselves", () => {
    const given = new Set(listed.map(({ reason }) => reason));
    expect(Object.keys(filterReasons).filter((reason) => !given.has(reason as keyof typeof filterReasons))).toEqual([
      "no_source",
    ]);
  });
});

describe("a question", () => {
  const passage = "Graphene sheets wrap the cathode particles at 200 °C and improve their electrical conductivity.";
  const refusal = (question: string) =>
    refusalOf(
      filterRegistry.question,
      { question, passage, exampleStems: new Set(["moon"]), filters: { minQuestionOverlap: 0.6 } },
      "en",
    );

  test.each([
    ["How do graphene sheets improve the electrical conductivity of cathode particles?", null],
    ["Graphene sheets improve the electrical conductivity.", "question_form"],
    ["Why graphene sheets?", "question_too_short"],
    ["How does this study explain the electrical conductivity of graphene sheets?", "question_refers_to_text"],
    ["What do the red curves say of the electrical conductivity of graphene?", "question_refers_to_text"],
    ["Do graphene sheets wrap graphene sheets wrap graphene sheets wrap cathode particles?", "question_repeats_itself"],
    ["Do graphene sheets improve graphene particles by graphene conductivity?", "question_repeats_itself"],
    ["Does the Moon improve the electrical conductivity of graphene sheets?", "question_copied_from_prompt"],
    ["How do graphene sheets improve the electrical conductivity at 25 °C?", "question_invented_facts"],
    ["How do graphene sheets improve the electrical conductivity at 200 °C?", null],
    ["How does the electrical conductivity of graphene change from 200 °C to 200 °C?", "question_repeats_itself"],
    ["How do penguins survive the winter storms of the polar sea?", "question_off_topic"],
  ])("%s: %s", (question, reason) => {
    expect(refusal(question)).toBe(reason);
  });
});

test("an answer with a marker in it would come apart wrongly", () => {
  const draft = {
    answer: "Graphene <|thinking|> carries electrons between the particles of the cathode.",
    question: "",
    grounds: "",
    context: [],
    exampleStems: new Set<string>(),
    markers: DEFAULT_MARKERS,
    filters: {} as never, // a marker is asked for before any number
  };
  expect(refusalOf(filterRegistry.answer, draft, "en")).toBe("chosen_malformed");
});

const rejected = (response: string, question: string) => ({
  response,
  answer: response,
  question,
  prompt: question,
  isUnclosed: false,
  filters: { maxRejectedRepetition: 0.3 },
});

test("a rejected answer that says nothing but its prompt is an echo, one with words of its own is not", () => {
  const question = "How do graphene sheets improve the conductivity of the cathode?";
  const reason = (answer: string) =>
    refusalOf(filterRegistry.rejected, { ...rejected(answer, question), answer }, "en");
  expect(reason(question)).toBe("rejected_echo");
  expect(reason("Graphene sheets improve the conductivity of the cathode.")).toBe("rejected_echo");
  expect(reason("They carry the electrons from one particle to the next, so the cathode conducts better.")).toBeNull();
});

describe("in another language", () => {
  const german =
    "Die Graphenlagen leiten die Elektronen zwischen den Partikeln der Kathode und halten die Partikel fest.";

  test("what knows only English words is not asked", () => {
    const draft = rejected(german, "Warum?");
    expect(refusalOf(filterRegistry.rejected, draft, "en")).toBe("rejected_not_english");
    expect(refusalOf(filterRegistry.rejected, draft, "de")).toBeNull();
  });

  test("a question may repeat its articles and open as questions do there", () => {
    const ask = (question: string, language: string) =>
      refusalOf(
        filterRegistry.question,
        { question, passage: question, exampleStems: new Set<string>(), filters: { minQuestionOverlap: 0.4 } },
        language,
      );
    const question = "Wie leiten die Lagen die Elektronen zwischen die Partikel?";
    expect(ask(question, "en")).toBe("question_repeats_itself");
    expect(ask(question, "de")).toBeNull();
    expect(ask("¿Por qué conduce mejor la capa fina de grafeno?", "es")).toBeNull();
  });

  test("what goes by numbers and repetition is asked all the same", () => {
    const loop = "die Pore ist die Pore ist die Pore ist die Pore ist die Pore ist die Pore.";
    const draft = rejected(loop, "");
    expect(refusalOf(filterRegistry.rejected, draft, "de")).toBe("rejected_repeats_itself");
  });
});

test("every number of the recipe is some filter's, or says what a source chunk and a step must have", () => {
  const named = new Set(Object.values(filterRegistry).flatMap((list) => list.flatMap(({ numbers }) => numbers ?? [])));
  const unnamed = Object.keys(Filters.parse({})).filter((number) => !named.has(number as keyof Filters));
  expect(unnamed).toEqual(["minSourceSentences", "minExplainingSentences", "minStepOverlap", "minLineOverlap"]);
});
