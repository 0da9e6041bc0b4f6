/** English words too common to say what a text is about. */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  `a about above after again against all also although always am among an and another any are aren't as at
  be became because become been before being below between both but by came can can't cannot could did do does
  doing don't done down during each either else even ever every few first for from further gave get give given go
  had has have having he her here hers herself him himself his how however i i'm i've if in indeed into is isn't it
  it's its itself just last less let let's like made make many may me might more most much must my myself
  neither never no nor not nothing now of off often on once one only or other others ought our ours ourselves out
  over own part per perhaps put rather said same say see seem several shall she should since so some such take
  than that that's the their theirs them themselves then there thereby therefore these they thing things this
  those though through thus to today tonight too toward two under until up upon us use very was way we we'll
  we're we've well were what when where whether which while who whole whom whose why will with within without
  won't would yet you you're your yours yourself`.split(/\s+/),
);
