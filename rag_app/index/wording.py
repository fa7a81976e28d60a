"""Words that are no company's name by themselves, and what else companies are called."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LEGAL = _words(
    """
    ag co com companies company corp corporation de group holding holdings inc incorporated
    limited llc llp lp ltd nv plc sa se the trust
    """
)
"""Words of a cover's name that nobody says."""
SHARED = _words(
    """
    advance advanced allied american applied associated atlantic bank best big capital central
    citizens city coca commercial commonwealth community consolidated digital discover dollar
    eagle eastern electric energy enterprise equity farmers federal fidelity financial first
    fund general global gold golden great green group growth health home host income
    independent industrial insurance integrated international investors key liberty life
    lincoln live micro mid municipal mutual national natural new north northern northwest old
    one pacific peoples pioneer premier pro professional public real regional royal santa
    security select service silver simply south southern southwest standard state sun texas
    trade travel union united universal urban us usa valley vital wells west western world
    """
)
"""First words that so many names share, or that a sentence begins with, that none means one."""
ENGLISH = _words(
    """
    affirm align ally ball block box brown burlington carnival carrier carter chase chord
    coach constellation corning cross crown delta dover duke express five ford fox frontier
    gap guess hess host limited marathon match meta monster mosaic news noble now open
    paramount post progressive prudential range realty ross sealed shell snap southern spirit
    sprouts square steel tapestry target travelers twist unity visa vulcan waters williams
    zoom
    """
)
"""Names that are words or persons too: they mean the company only with a capital."""
NO_TICKERS = _words(
    """
    A AI ALL AM AN AND API APR ARE ARPU AS ASC ASU AT AUG B BE BIG BN BY C CAGR CAN CEO CFO
    COGS COO COVID CPI CRM D DEC DEI DO E EBIT EPS ESG ESPP ETF ETR EU EV F FASB FAST FDA
    FEB FIFO FOR FTC FX FY G GAAP GDP GO H HAS HE HR I IFRS IN IP IPO IRS IS IT J JAN JUL JUN
    K KEY L LIFO LOVE LOW M MAR MAY MD MM N NEW NO NOT NOV NOW NYSE O OCI OCT OF ON OPEX OR
    OUT P PC PCAOB PLAN PLUS Q R RD REAL ROA ROE ROI RSU S SEC SEE SEP SG SGA SO T TAX THE TO
    TV TWO U UK UP US USA USD V VAT VR W WE WELL X Y Z
    """
)
"""Capitals that are rather a word or an abbreviation: a ticker only as $X, or beside "ticker"."""
OTHER_NAMES = {
    "Alphabet Inc": ("Google",),
    "Meta Platforms": ("Facebook",),
    "International Business Machines": ("IBM",),
    "General Electric": ("GE",),
    "Goldman Sachs Group": ("Goldman",),
}
"""What people call a company besides what its covers print."""
NO_CASHTAGS = _words("US USD M MM B BN K T C A HK NT S R")
"""What stands behind a dollar sign and is a currency or a scale."""
TABLE_ABBREVIATIONS = _words(
    """
    ADP AES AMP AMT APA APD ARE ARES ARM BALL BEN BOX BRO CAR CARR CAT CAVA CDW CME CMS COIN CORE
    COST CPB DASH DOC DOW ECL EMR EQT FAST FICO FIS FMC FOX GAP GEN HAL HAS HOG HOOD ICE IFF KEYS
    KIM LEA LEN LNG LOW LUV MAS MAT MOS NEM NET NOC NYT OMC ONE OTIS PEG PLUG POOL POST PSA PTC REG
    RTX RUN SAP SBA SHOP SNAP SNOW SPOT SUN TAP TEAM TEL TER TRIP TRU WAT WELL WEN WIRE
    """
)
"""Tickers of the table of known companies that are abbreviations or words of filings too."""
OPENERS = _words(
    """
    A An And Are As At But By Can Compare Could Describe Did Do Does Explain Find For From Give Has
    Have Here How If In Is It List Name Of On Or Show Summarize Tell That The There This To Under
    Was Were What When Where Which Who Whose Why Will With Would Company Companies Group Board CEO
    CFO Chairman Chair Director Directors Management Q1 Q2 Q3 Q4 Today Yesterday Year Years Let
    January February March April May June July August September October November December Monday
    Congress Government State States America China India Japan Europe Russia Germany Canada Mexico
    """
)
"""What a question may begin with before a name, and what owns things and is no company."""
