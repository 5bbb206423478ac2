"""Ohio: the JSON interface behind search-prod.lis.state.oh.us.

Source: https://search-prod.lis.state.oh.us/api/v2/general_assembly_136/legislation/, no key: all bills of a General
Assembly in one slow reply, two documents a bill. Terms: none published. Sessions: 136; special ones 135_special_1.
Oddities: rows come twice; a short title may be empty, then the long one of the newest text is the title; the list shows
no action, so bills are probed; the actions leave out the governor: of a law, the day from which it is in effect is an
action once it has come. The pages that show more turn crawlers away.
History: 2026-11 begun with `billtracker new-state`, on replies written from the facts.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from crawlers import dates, tables
from crawlers.api import ApiSpider

HOST = "https://search-prod.lis.state.oh.us"
BILL = f"{HOST}/api/v2/general_assembly_{{session}}/legislation/{{number}}"
CHAMBERS = {"House": "lower", "Senate": "upper", "h": "lower", "s": "upper"}
KINDS = {"b": "bill", "r": "resolution", "cr": "concurrent resolution", "jr": "joint resolution"}


class Spider(ApiSpider):
    """One record an entry of the list."""

    lists_at = (f"{HOST}/api/v2/general_assembly_{{session}}/legislation/",)
    documents = {"versions": f"{BILL}/versions/", "actions": f"{BILL}/actions/"}  # noqa: RUF012
    session_url = r"/general_assembly_(\w+)/legislation/"

    def entries(self, page: Any) -> Iterable[Mapping[str, Any]]:
        return {entry["number"]: entry for entry in page}.values()

    def record(self, row: Any) -> dict[str, Any]:
        entry, versions, number = row["entry"], row["versions"], row["entry"]["number"]
        title = next((v["long_title"] for v in reversed(versions) if v["long_title"]), "")
        sponsors, others = ([s["full_name"] for s in entry[key] or ()] for key in ("sponsors", "cosponsors"))
        actions = sorted(map(action, row["actions"]), key=lambda made: made["date"])
        in_effect = max((v["effective_date"] or "" for v in versions), default="")
        if "" < in_effect <= self.account.started_at.date().isoformat():
            actions.append({"date": in_effect, "description": "Effective", "chamber": "executive"})
        return {
            "identifier": number,
            "title": entry["short_title"] or title,
            "chamber": CHAMBERS[number[0]],
            "classification": [KINDS[re.sub(r"\d", "", number[1:])]],
            "subject": list(dict.fromkeys(filter(None, (s[k] for s in entry["subjects"] or () for k in s)))),
            "abstracts": [{"abstract": title, "note": "long title"}] if title and entry["short_title"] else [],
            "actions": actions,
            "sponsorships": tables.sponsors(sponsors, cosponsors=others),
            "versions": [tables.forms(v["version"], "", HOST, v["download"], v["download_html"]) for v in versions],
            "sources": [{"url": f"https://www.legislature.ohio.gov/legislation/{self.site_session()}/{number}"}],
        }


def action(said: Mapping[str, Any]) -> dict[str, str]:
    """What happened, where, and how it ended."""
    words = ", ".join(dict.fromkeys(filter(None, (said["description"], said["cmte_name"], said["result"]))))
    return {"date": dates.day(said["occurred"]), "description": words, "chamber": CHAMBERS[said["chamber"]]}
