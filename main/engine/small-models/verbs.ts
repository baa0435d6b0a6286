const STEMS =
  "accelerat accumulat achiev act affect allow appear apply arise assign assum attach bind break call carr caus chang chos clos coat collect combin compar consist contain contribut control convert correspond creat decompos decreas demonstrat depend deposit describ determin diffus diminish display dissolv distribut driv enabl encod enhanc exceed exhibit exist expand explain expos express facilitat favou?r feed fill form generat giv grow happen heat help hinder hold improv includ increas indicat induc influenc inhibit insert interact intersect involv keep lead leav limit lower maintain make mean measur migrat modif obtain occur open operat participat penetrat permit play possess precipitat prepar prevent produc promot protect prov provid reach react receiv reduc reflect regulat releas remain remov represent requir respond restor restrict result retain reveal rise serve shift shorten show slow stabili[sz] start stor strengthen suggest support suppress sustain tak transfer transform undergo us utili[sz] vari weaken work yield".split(
    " ",
  );

/** Verbs of scientific prose in the present and past tense, as a part of a regular expression. Some are nouns as well. */
export const VERBS = `(?:${STEMS.join("|")})(?:y|e|s|es|ies|ed|ied|d)?|led|gave|made|became|grew|bound|showed|took|rose|held|began|begins?|becomes?`;
