import type { ConceptType } from "../../../shared/contract/graph.ts";
import { isAcronym, isFormula, SPECIES, singular } from "./labels.ts";

const list = (words: string) => new Set(words.split(/\s+/));

/** Heads of noun phrases by type. The head, a term's last word, decides. */
const HEADS: [ConceptType, Set<string>][] = [
  [
    "material",
    list(`graphene graphite carbon steel alloy glass ceramic polymer oxide composite nanocomposite electrolyte collagen silica silicon
      hydrogel silk cellulose chitin keratin lithium sodium aluminium aluminum magnesium iron copper zinc nickel cobalt titanium gold silver
      water solvent acid salt powder slurry binder adhesive fiber fibre nanofiber nanofibre nanotube nanoparticle nanosheet nanowire
      phosphate carbonate sulfate sulphate nitride carbide hydride chloride fluoride hydroxide silicate protein enzyme peptide lipid
      rna dsrna mrna dna mof cof zeolite resin rubber wood bone wool cement concrete ion electron oxygen hydrogen nitrogen material`),
  ],
  [
    "structure",
    list(`layer network lattice crystal pore phase precipitate grain interface film cuticle membrane cell microstructure nanostructure
      morphology particle sheet tube channel surface electrode cathode anode matrix scaffold framework dislocation defect cluster core shell
      coating bundle beam hinge fibril helix domain backbone chain molecule wall pathway cage cavity skeleton intestine tissue organ battery device sensor`),
  ],
  [
    "property",
    list(`conductivity strength capacity stability elasticity hardness toughness density energy capability resistance performance modulus
      temperature porosity crystallinity thickness stiffness viscosity voltage potential kinetics entropy enthalpy roughness size shape length
      ductility plasticity efficiency polarization permittivity rate life lifespan retention area volume weight diffusivity impedance stress
      strain deformability curvature composition fraction concentration distance susceptibility resilience`),
  ],
  [
    "method",
    list(`spectroscopy microscopy diffraction calorimetry chromatography tomography voltammetry xrd sem tem dsc tga xps nmr dft ftir
      model modelling modeling simulation analysis calculation measurement algorithm method technique package software solver theory`),
  ],
  [
    "process",
    list(`ageing aging annealing quenching cooling heating sintering milling diffusion precipitation synthesis oxidation reduction
      hardening growth transfer transport reaction formation infection nucleation crystallization crystallisation deposition intercalation
      insertion extraction conversion decomposition degradation corrosion fracture deformation deamination translation transcription
      adsorption absorption dissolution solidification treatment charging discharging cycling expression modification graphitization
      carbonization irradiation migration development fermentation process`),
  ],
  [
    "function",
    list(
      "function behavior behaviour protection repair immunity survival signaling signalling movement locomotion mobility adhesion",
    ),
  ],
  [
    "organism",
    list("bacterium bacteria worm nematode mouse human plant insect animal fungus yeast virus organism pathogen"),
  ],
];

const SUFFIXES: [RegExp, ConceptType][] = [
  [/(?:oxide|phosphate|carbonate|sulfate|nitride|carbide|hydride|chloride|fluoride|polymer|alloy)$/, "material"],
  [/(?:scopy|metry|graphy)$/, "method"],
  [/(?:ivity|ility|icity|osity|inity|ness|ance)$/, "property"],
  [/(?:ation|ition|ction|ization|isation|olysis|synthesis)$/, "process"],
];

/** Whether a word alone names a concept of its own, as far as the lists know. */
export function isListedHead(word: string): boolean {
  return HEADS.some(([, words]) => words.has(singular(word).toLowerCase()));
}

/** By closed lists and word endings; `other` where neither says anything. */
export function conceptType(label: string): ConceptType {
  if (new RegExp(`^${SPECIES.source}$`, "u").test(label)) return "organism";
  const head = label.split(" ").at(-1) ?? "";
  // "LiFePO4/graphene" and "pre-aged AlMgSi(Cu)" are named by what they are made of
  if (head.split(/[/-]/).some(isFormula)) return "material";
  const word = singular(head).toLowerCase().split("-").at(-1) ?? "";
  const byHead = HEADS.find(([, words]) => words.has(word));
  if (byHead) return byHead[0];
  if (isAcronym(head)) return "other";
  return SUFFIXES.find(([suffix]) => suffix.test(word))?.[1] ?? "other";
}
