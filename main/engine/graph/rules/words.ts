const list = (words: string) => new Set(words.split(/\s+/));

export const DETERMINERS = list(
  "a an the this that these those its their his her our each every any some such both all no another other",
);
export const PREPOSITIONS = list(
  "of in on at by for with from to into onto through during between among within without under over above below via across along after before against as than per toward towards upon around near despite due because since while when where if although though whereas whether that which who whose and or but nor so then thus hence also however therefore not only both either neither",
);
export const NEGATIONS = list(
  "not no never without nor neither cannot hardly barely rarely unclear unknown whether unlikely little few lack lacks fail fails failed instead rather despite unless",
);
/** Between a subject and its verb, or between a verb and its object, these change nothing. */
export const ADVERBS = list(
  "also often thus further even still then greatly strongly well can could may might will would must should both",
);

/** Verbs that stand in for no relation but end a noun phrase all the same. */
export const OTHER_VERBS =
  list(`is are was were be been being am has have had having do does did can could may might must shall should will would
  become becomes became remain remains remained seem seems appear appears take takes took taken make makes made get gets go goes come comes
  occur occurs occurred happen happens exist exists show shows showed shown see seen find finds found know known give gives gave given help helps
  let lets keep keeps kept use uses used using play plays played lead leads led result results resulted suggest suggests indicate indicates
  demonstrate demonstrates reveal reveals report reports propose consider considered according based compared including following regarding
  tend tends undergo undergoes absorb absorbs act acts serve serves work works melt melts dissolve dissolves reach reaches follow follows
  ascribe ascribed attribute attributed adopt adopted achieve achieved obtain obtained observe observed perform performed associate associated
  exposed ensure ensures represent represents kill kills resist focus focuses achieves decompose decomposes describe describes transform transforms intersect intersects stabilize stabilizes penetrate penetrates coat coats cover covers surround surrounds wrap wraps move moves travel travels carry carries hold eat eats store stores
  convert converts explain explains confirm confirms prefer prefers differ differs begin begins start starts compare link linked connect connected relate related call called mean means say says say exhibit exhibits possess possesses display displays
  infect infects colonize colonizes influence influences affect affects`);

/** Words that open a phrase without belonging to a name. */
export const LOOSE_MODIFIERS =
  list(`high higher highest low lower lowest large larger largest small smaller smallest great greater good better best bad
  worse worst new novel important main major minor key many much more most less least several various different same similar certain possible able
  excellent superior outstanding remarkable significant significantly normal typical common general specific particular suitable useful simple complex
  strong stronger weak weaker long longer short shorter fast faster slow slower rapid deep thick thin unique overall whole entire total respective even just only
  first second third one two three four five six seven eight nine ten additional further resulting corresponding recent previous
  well-known single own very quite prepared synthesized obtained measured indicated required estimated focused selected fixed established observed
  reported used proposed desired given effective efficient wide uniform fundamental final initial several`);

/** A concept behind one of these is named all the same, but no relation may hide that there is less of it, or more. */
export const SIGNS =
  list(`increased decreased enhanced reduced improved impaired altered diminished lowered low lower lowest poor weak weaker less insufficient
  small smaller limited fewer slow slower no`);

/** Heads of phrases that say how one speaks, not what of. */
export const EMPTY_HEADS =
  list(`importance abbreviation information implication introduction possibility appearance magnification equation publication expectation
  estimation approximation definition evaluation investigation optimization consideration variation condition position option question section
  attention conclusion decision occasion duration portion proportion significance difference instance evidence presence absence influence
  sequence ability inability applicability availability reliability reproducibility subtraction asymmetry avoidance civilization transportation
  contribution distribution situation relation description explanation limitation indication observation assumption comparison distinction
  consequence preference reference occurrence tolerance substance circumstance advance chance balance majority quantity quality facility
  community university opportunity responsibility priority necessity complexity similarity detection fluctuation requirement property process`);

/** Too general to be a node of their own. */
export const TOO_GENERAL =
  list(`material process property structure method system sample result effect use role ability area change level number amount
  part type way case factor value condition study analysis work paper question answer example time day year thing fact reason need order range
  form state stage step approach technique model performance quality behavior behaviour function feature aspect group set field site place point
  increase decrease improvement enhancement reduction difference relationship influence impact benefit advantage challenge problem issue goal purpose
  interaction combination addition presence absence lack loss degree extent rate size shape length weight volume energy surface human people researcher
  scientist application product production development research design researchers damage risk body life animal process composition temperature
  measurement calculation simulation theory test experiment component element unit kind variety source basis mechanism context evidence rise
  mean strategy option solution region direction distance side end top bottom layer particle phase core chain domain pathway plant organism water`);
