"""Word lists the generator draws from: names that are plausible, varied and awkward on purpose.

Apostrophes, accents, hyphens, spaces and a comma are here because CSV quoting, folding and sorting break on
exactly these. Nothing but constants and the folding of a name into a login may live here.
"""

from __future__ import annotations

import re
import unicodedata


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GIVEN = _words(
    """
    Aaliyah Adrián Aiden Amara Amelia Anaïs Andre Anika Asher Ava Beatriz Ben Brielle Caleb Camila
    Carlos Chloë Daniela Darius Devon Dimitri Elena Eli Elif Emeka Emma Esperanza Ethan Fatima Felix
    Finn Gabriela Giovanni Grace Hana Hassan Hugo Imani Ines Isaac Jada Jamal Jayden Jia José Julia
    Kai Keisha Kenji Lakshmi Layla Leo Liam Lucía Mai Malik Marisol Mateo Maya Mei Miles Mina
    Mohamed Naomi Nia Noah Noor Olivia Omar Owen Paloma Priya Quinn Rafael Renée Rohan Rosa Ruth
    Samir Sasha Sean Siobhán Sofía Tariq Teo Thandi Tomás Uma Valentina Viktor Wei Xavier Yara Yusuf
    Zara Zoë
    """
)
GIVEN_ODD = ("Mary Kate", "Jean-Luc", "D'Andre", "Ana María", "Ja'Nae")
FAMILY = _words(
    """
    Abbott Acosta Adeyemi Ahmed Álvarez Bauer Becker Bianchi Brennan Brooks Caruso Castillo Chen
    Choi Cohen Costa Cruz Delgado Desai Diaz Dubois Edwards Esposito Farrell Fernández Fischer
    Flores Foster Gallagher Gonçalves Goldberg Greco Gupta Hassan Hayes Henderson Hernández Hoffman
    Huang Ibrahim Jackson Jankowski Johnson Jones Kaplan Kaur Kelly Khan Kim Kowalski Kumar Lam Lee
    Levine Lombardi López Ma Marino Martínez Mbeki Mehta Mendoza Meyer Moreau Müller Murphy Nakamura
    Nguyễn Novak Núñez Okafor Ortiz Park Patel Pereira Petrov Pham Quispe Ramos Reyes Rivera Romano
    Rossi Russo Sánchez Santos Schwartz Shah Silva Singh Smith Sokolov Suárez Sullivan Tanaka Torres
    Tran Vega Walsh Wang Washington Weiss Williams Wójcik Wu Yıldız Young Zhang
    """
)
FAMILY_ODD = (
    "O'Brien",
    "D'Angelo",
    "García-López",
    "Smith-Jones",
    "de la Cruz",
    "Rivera, Jr.",
    "van der Berg",
    "O'Neill",
)

TOWNS = {"riverside": "Riverside", "oak-hill": "Oak Hill", "lakeside": "Lakeside"}
SCHOOL_KINDS = (
    "High School",
    "Middle School",
    "Academy",
    "North High School",
    "South Middle School",
    "Technical School",
)

# Per subject: four levels; the last subject is taught by the semester.
SUBJECTS: tuple[tuple[str, tuple[str, str, str, str]], ...] = (
    ("ENG", ("English I", "English II", "English III: Rhetoric, Essay", "English IV")),
    ("MTH", ("Algebra I", "Geometry", "Algebra II", "Pre-Calculus")),
    ("SCI", ("Biology", "Chemistry", "Physics", "Environmental Science")),
    ("SOC", ("World History", "U.S. History I", "U.S. History II", "Civics & Economics")),
    ("LNG", ("Español I", "Français I", "Español II", "Français II")),
    ("PHE", ("Health & Physical Education 1", "Health & PE 2", "Health & PE 3", "Driver's Education")),
    ("ART", ("Studio Art", "Robotics", 'Music Theory ("Sound")', "Journalism")),
)
SEMESTER_SUBJECT = "ART"


def town(key: str) -> str:
    """The town's name for a district key: "oak-hill" is "Oak Hill"."""
    return TOWNS.get(key, key.replace("-", " ").title())


def login(given: str, family: str, number: int) -> str:
    """An ASCII login such as "jobrien042": the initial, the folded family name, three digits that vary."""
    folded = unicodedata.normalize("NFKD", given[0] + family.split(",")[0]).encode("ascii", "ignore").decode()
    return f"{re.sub('[^a-z]', '', folded.lower())[:12]}{number:03d}"
