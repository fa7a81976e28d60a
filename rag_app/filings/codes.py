"""Codes that EDGAR gives to exchanges and states, by their English names in lower case."""

from __future__ import annotations

EXCHANGES = {
    "new york stock exchange": "NYSE",
    "nyse american": "NYSEAMER",
    "nyse arca": "NYSEArca",
    "nasdaq": "NASDAQ",
    "chicago stock exchange": "CHX",
    "nyse chicago": "CHX",
    "cboe bzx": "CboeBZX",
}
_STATE_CODES = (
    "alabama:AL|alaska:AK|arizona:AZ|arkansas:AR|california:CA|colorado:CO|connecticut:CT"
    "|delaware:DE|district of columbia:DC|florida:FL|georgia:GA|guam:GU|hawaii:HI|idaho:ID"
    "|illinois:IL|indiana:IN|iowa:IA|kansas:KS|kentucky:KY|louisiana:LA|maine:ME|maryland:MD"
    "|massachusetts:MA|michigan:MI|minnesota:MN|mississippi:MS|missouri:MO|montana:MT"
    "|nebraska:NE|nevada:NV|new hampshire:NH|new jersey:NJ|new mexico:NM|new york:NY"
    "|north carolina:NC|north dakota:ND|ohio:OH|oklahoma:OK|oregon:OR|pennsylvania:PA"
    "|puerto rico:PR|rhode island:RI|south carolina:SC|south dakota:SD|tennessee:TN|texas:TX"
    "|utah:UT|vermont:VT|virgin islands:VI|virginia:VA|washington:WA|west virginia:WV"
    "|wisconsin:WI|wyoming:WY"
)
STATES = dict(pair.split(":") for pair in _STATE_CODES.split("|"))
