"""Made-up titles and provisions: the topic and the mechanism put together in many ways, and apart in as many.

Real labels are few where a strategy is rare. These sentences teach one thing only: that the mechanism counts when it
is *for* the topic. Every sentence is our own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
from examples import LABELS, Bag, Item

WHO = (
    "registered apprentices", "youth apprentices", "apprentices in the building trades", "high school interns",
    "students enrolled in career and technical education", "paid interns from technical colleges", "trainees in a pre-apprenticeship program",
    "students in work-based learning", "students earning an industry-recognized credential", "welding and machining students",
    "participants in a sector training partnership", "students of a vocational high school", "certified nursing assistant trainees",
    "commercial driver trainees at community colleges", "cooperative education students", "electrical lineworker trainees",
    "students in a career academy", "adult learners in short-term workforce certificates", "diesel technician students",
    "dual enrollment students in technical courses",
)  # fmt: skip
PROGRAM = (
    "registered apprenticeship programs", "youth apprenticeship", "career and technical education programs", "work-based learning",
    "high school internship programs", "pre-apprenticeship training", "career pathways in health care", "technical college training in skilled trades",
    "industry credential programs in high schools", "regional workforce training partnerships", "vocational training centers",
    "career readiness and counseling programs", "manufacturing training programs at community colleges", "agricultural education and career student organizations",
    "early college programs with a technical certificate", "job training for dislocated workers through technical schools",
    "teacher externships with local industry", "clinical training placements for nursing students", "commercial driver training",
    "cybersecurity certificate programs for high school seniors",
)  # fmt: skip
ELSE_WHO = (
    "volunteer firefighters", "family caregivers", "low-income renters", "disabled veterans", "first-time home buyers", "foster parents",
    "owners of historic buildings", "film producers", "parents of children in day care", "farmers with drought losses", "small breweries",
    "residents with student loans", "donors of conserved land", "organ donors", "grandparents raising children", "buyers of electric vehicles",
)  # fmt: skip
ELSE = (
    "broadband in rural areas", "wetland restoration", "school meals", "reading in kindergarten", "bridge repair", "body cameras for police",
    "affordable housing", "solar energy systems", "tourism promotion", "dam safety", "lead pipe removal", "public libraries", "wildfire prevention",
    "mental health clinics", "county fairs", "private school tuition", "opioid treatment", "flood control", "museum exhibits", "charter school facilities",
)  # fmt: skip
TAXES = (
    "income tax",
    "corporate franchise tax",
    "gross premiums tax",
    "business tax",
    "payroll tax",
    "personal income and corporate tax",
)

TITLES = {
    "tax_credits": (
        "An act allowing a credit against the {tax} for employers of {who}", "Establishes a {tax} credit for businesses that hire {who}",
        "Relating to a {tax} credit for contributions to {program}", "Exempting tools and supplies bought by {who} from the sales tax",
        "{tax}; credit for employers who support {program}; extend the sunset", "Provides a deduction from {tax} for wages paid to {who}",
        "To repeal the {tax} credit for employers of {who}", "Property tax abatement for facilities used for {program}",
        "Taxation: {tax}; credit for gifts of equipment to {program}; create", "Tax credit for {who}; modifying the amount and the yearly cap",
    ),
    "incentives": (
        "Establishes a grant program for {program}", "An act creating a competitive matching grant for {program}; making an appropriation",
        "Relating to scholarships for {who}", "Tuition waivers for {who}", "Reimbursing employers for wages paid to {who}",
        "Creates a loan forgiveness program for instructors in {program}", "Provides stipends to {who}", "Bonus payments to school districts for {who}",
        "Preference in public contracts for firms that train {who}", "An act to pay the examination fees of {who}", "Incentive fund for {program} established",
    ),
    "flexibility": (
        "Allowing {program} to count toward graduation credit", "Permits {who} to substitute a technical course for a required mathematics credit",
        "Alternative licensure of teachers in {program}", "Adjunct teaching permits for industry experts in {program}", "Waiving instructional hours for {who}",
        "Employment of minors; {who}; hazardous occupation exemption", "Exempts {who} from certain licensing education requirements",
        "Opens {program} to home school and private school pupils", "An act to reduce the hours of training for licensure and to recognize {program} instead",
        "Limits the liability of businesses that host {who}", "Allows funds restricted to other uses to be spent on {program}",
    ),
    "agency_funding": (
        "{program} appropriation", "Making an appropriation to the technical college for {program}", "Money appropriated to equip {program}",
        "An act making a supplemental appropriation to the department of labor for {program}", "Bonds for facilities for {program}",
    ),
    "agency_rules": (
        "Requires the state board to adopt standards for {program}", "Department to publish a list of credentials and report data on {program}",
        "Requiring rules on the approval of {program}", "Revises accountability measures for {program}",
    ),
    "executive_call": (
        "Creates a task force on {program}", "Requesting a study of {program}", "Establishes the statewide council for {program}",
        "Directing a strategic plan for {program}",
    ),
    "": ("Relating to {program}", "Requires schools to tell pupils about {program}", "Requires {who} to complete safety instruction", "An act concerning {who}"),
}  # fmt: skip
PROVISIONS = {
    "tax_credits": (
        "A taxpayer that employs {who} is allowed a credit against the {tax} imposed by this chapter equal to {n} percent of the wages paid, not to exceed ${n},000 for each person in a taxable year.",
        "For taxable years beginning after December 31, there is allowed as a deduction from gross income the amount contributed during the year to {program}.",
        "The sales of tools, textbooks and protective equipment to {who} are exempt from the tax imposed under this title.",
        "The credit under this section for employers of {who} may be carried forward for {n} years; the total of credits for all taxpayers may not exceed ${n} million a year.",
        "A taxpayer claiming the credit shall submit a certificate that the persons employed were {who}; unused credit may be applied against the {tax} of later years.",
    ),
    "incentives": (
        "The department shall award grants on a competitive basis to school districts, colleges and employers to start or expand {program}. An applicant shall provide a match of {n} percent.",
        "The board may award scholarships to {who}; a scholarship pays tuition and fees for not more than {n} semesters.",
        "An employer may be reimbursed for up to {n} percent of the wages it pays to {who}, from money available in the fund.",
        "A school district receives ${n}00 in additional aid for each pupil among {who} who completes the program.",
        "Tuition and fees shall be waived at a public institution for {who} who meet the requirements of this subsection.",
        "In awarding a contract, a public body shall give a preference of {n} percent to a bidder that employs {who}.",
        "Eligible applicants for a grant under this section include nonprofit organizations and technical colleges that offer {program}.",
        "The agency may provide loan repayment assistance to a person who agrees to teach in {program} for at least {n} years.",
    ),
    "flexibility": (
        "Notwithstanding any other law, a pupil may satisfy one credit of mathematics or science required for graduation by completing a course offered through {program}.",
        "The board may issue a permit to teach in {program} to a person who has at least {n} years of experience in the occupation, in lieu of a degree in education.",
        "The prohibition on the employment of minors in power-driven work does not apply to {who} who are sixteen years of age or older and work under supervision.",
        "The state board may waive the requirement of instructional hours for {who}.",
        "An applicant may substitute completion of {program} for up to {n}00 hours of the schooling required for a license.",
        "A business that hosts {who} is not liable for civil damages for ordinary negligence arising from the placement.",
        "A pupil who attends a private school or is schooled at home may enroll in {program} of the district in which the pupil resides.",
        "A district may use money received under this section for {program} without regard to the restrictions of subsection (b).",
    ),
    "agency_funding": (
        "There is appropriated from the general fund to the community college the sum of ${n}00,000 for the operation of {program}.",
        "${n}50,000 in the first year is for a grant to the regional training center named in this paragraph for {program}.",
    ),
    "agency_rules": (
        "The department shall adopt rules setting the criteria by which {program} are approved and shall publish each year a report of their results.",
        "The state board shall revise its standards for {program} and keep a list of approved credentials.",
    ),
    "executive_call": (
        "A task force is created to study {program}; it consists of {n} members and reports to the legislature by December 1.",
        "The governor's workforce council shall prepare a statewide plan with goals for {program}.",
    ),
    "": (
        "Each district shall inform pupils and parents of {program} not later than the ninth grade.",
        "{program} shall report enrollment to the council every quarter; {who} shall complete {n} hours of safety instruction before they begin.",
        "As used in this section, the term includes {program} and any program for {who} registered with the department.",
    ),
}  # fmt: skip
PLAIN_TITLES = (
    "An act relating to {program}",
    "Concerning {program}",
    "{program}; requirements",
    "RELATING TO {program}.",
    "Revise laws on {program}",
)


def bags(count: int, seed: int = 5) -> Iterator[Bag]:
    """About `count` items: half titles, half provisions; about as many off the topic as on it."""
    chance = random.Random(seed)
    kinds = list(TITLES)
    for number in range(count):
        kind = chance.choices(kinds, weights=[3, 3, 3, 1, 1, 1, 2])[0]
        on = chance.random() < 0.6
        whole = number % 2 == 0
        text = _filled(chance.choice((TITLES if whole else PROVISIONS)[kind]), chance, on)
        title = None if whole else _filled(chance.choice(PLAIN_TITLES), chance, on or chance.random() < 0.6)
        labels = np.zeros(len(LABELS), dtype=np.float32)
        labels[0] = on
        if on and kind:
            labels[LABELS.index(kind)] = 1.0
        yield Bag(f"madeup/{number}", "madeup", "madeup", [Item(text, title, labels, 0.4)], None)


def mixed(count: int, seed: int = 6) -> Iterator[Bag]:
    """Passages in which the topic and a mechanism for something else stand one after the other, under a title on the topic.

    A third of them have the mechanism for the topic beside something else, so that the order teaches nothing.
    """
    chance = random.Random(seed)
    kinds = [kind for kind in PROVISIONS if kind]
    for number in range(count):
        kind = chance.choices(kinds, weights=[3, 3, 3, 1, 1, 1])[0]
        meets = number % 3 == 0
        mechanism = _filled(chance.choice(PROVISIONS[kind]), chance, meets)
        other = _filled(chance.choice(PROVISIONS[""]), chance, not meets)
        parts = [f"Section {chance.randint(1, 9)}. {part}" for part in (mechanism, other)]
        chance.shuffle(parts)
        labels = np.zeros(len(LABELS), dtype=np.float32)
        labels[0] = 1.0
        labels[LABELS.index(kind)] = float(meets)
        title = _filled(chance.choice(PLAIN_TITLES), chance, True)
        yield Bag(f"mixed/{number}", "madeup", "madeup", [Item(" ".join(parts), title, labels, 0.7)], None)


def _filled(template: str, chance: random.Random, on: bool) -> str:
    text = template.format(
        who=chance.choice(WHO if on else ELSE_WHO),
        program=chance.choice(PROGRAM if on else ELSE),
        tax=chance.choice(TAXES),
        n=chance.choice((2, 3, 5, 8, 10, 15, 25, 50)),
    )
    return text[0].upper() + text[1:]
