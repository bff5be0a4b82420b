"""Which columns does the screen refuse, which pass, and is an id ever shown?"""

import base64
import calendar
import hashlib
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prakerja_eval.errors import IdentifierError
from prakerja_eval.panel import Roles, read_panel
from prakerja_eval.panel.privacy import refuse_identifiers, screen
from prakerja_eval.panel.privacy.naming import suggested, words
from prakerja_eval.panel.table import Table, Variable

CODES = ((11, 19), (21, 21), (31, 36), (51, 53), (61, 65), (71, 76), (81, 82), (91, 97))
PROVINCES = [code for first, last in CODES for code in range(first, last + 1)]


@st.composite
def niks(draw):
    """Make up a NIK: place, birth date with 40 added for women, serial; no one's."""
    year = draw(st.integers(1940, 2010))
    month = draw(st.integers(1, 12))
    day = draw(st.integers(1, calendar.monthrange(year, month)[1])) + 40 * draw(st.booleans())
    place = f"{draw(st.sampled_from(PROVINCES))}{draw(st.integers(1, 99)):02d}"
    district = f"{draw(st.integers(1, 99)):02d}"
    serial = f"{draw(st.integers(1, 9999)):04d}"
    return f"{place}{district}{day:02d}{month:02d}{year % 100:02d}{serial}"


NIKS = [f"320105{d:02d}0390{s:04d}" for d, s in zip(range(1, 29), range(7, 35), strict=True)]
PHONES = [f"0812{n:08d}" for n in range(34567001, 34567041, 2)]
PEOPLE = [
    "Siti Aminah",
    "Budi Santoso",
    "Dewi Lestari",
    "Agus Wijaya",
    "Rina Kartika",
    "Yohanes B.",
]
STREETS = [f"Jl. Melati No. {n} RT 0{n}/RW 02" for n in range(1, 7)]


def kinds(frame, **book):
    return {f.column: f.kind for f in screen(Table(pd.DataFrame(frame), book))}


def found(name, cells, /, **variable):
    book = {name: Variable(**variable)} if variable else {}
    return [f.kind for f in screen(Table(pd.DataFrame({name: cells}), book))]


@settings(max_examples=60, deadline=None)
@given(st.lists(niks(), min_size=1, max_size=40), st.sampled_from(["q17", "unit", "kode", "x"]))
def test_a_column_of_niks_is_found_under_any_name(values, name):
    assert found(name, values)[0] in {"nik", "kk"}
    assert found(name, [int(v) for v in values])[0] in {"nik", "kk"}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_random_numbers_of_sixteen_digits_pass(seed):
    numbers = np.random.default_rng(seed).integers(10**15, 10**16, 100)
    assert found("q17", numbers) == []
    assert found("q17", numbers.astype(str)) == []


@pytest.mark.parametrize(
    "number",
    [
        "3201053103900001".replace("3103", "3104"),  # 31 April
        "3201053002900001",  # 30 February
        "3201052902910001",  # 29 February of a year that has none
        "3201050013900001",  # day 0
        "3201051513900001",  # month 13
        "3201053503900001",  # day 35
        "3201057203900001",  # woman's day 32
        "3201051503900000",  # serial 0
        "2001051503900001",  # no such province
        "3200051503900001",  # no such regency
    ],
)
def test_impossible_numbers_are_no_niks(number):
    assert found("q17", [number]) == []


def test_a_leap_day_is_a_nik():
    assert found("q17", ["3201056902920001"]) == ["nik"]


@pytest.mark.parametrize("written", ["{}", " {} ", "'{}", "{}.0"])
def test_a_nik_is_found_however_the_cell_is_dressed(written):
    assert found("q17", [written.format(v) for v in NIKS]) in (["nik"], ["kk"])


def test_a_nik_with_separators_or_in_a_sentence_is_found():
    assert found("q17", ["3201.0541.0390.0007", "3201 0502 0390 0008"]) == ["nik"]
    assert found("note", ["nothing", "NIK 3201054103900007, moved"]) == ["nik"]


def test_niks_behind_letters_are_found_and_hexadecimal_is_none():
    assert found("q17", [f"NIK{v}" for v in NIKS]) in (["nik"], ["kk"])
    digests = [hashlib.sha256(v.encode()).hexdigest() for v in map(str, range(2_000))]
    assert found("q17", digests) == []


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]", "uint64", "object", "category"])
def test_niks_are_found_in_every_type_of_column(dtype):
    values = pd.Series([int(v) for v in NIKS], dtype=dtype)
    assert found("q17", values) == ["kk"]


def test_a_column_that_starts_with_missing_cells_is_read_to_its_end():
    assert found("q17", [None] * 100 + NIKS) == ["kk"]
    assert found("nik", [None] * 100 + ["SYN-000001"]) == []


def test_niks_beside_many_small_codes_are_found():
    assert found("q17", [0] * 95 + [int(v) for v in NIKS[:5]]) == ["nik"]


def test_niks_in_float_columns_are_found():
    assert found("q17", [float(v) for v in NIKS] + [np.nan]) == ["kk"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nik", "nik"),
        ("NIK", "nik"),
        ("no_ktp", "nik"),
        ("nik_ibu", "nik"),
        ("no_kk", "kk"),
        ("kk", "kk"),
        ("noHP", "phone"),
        ("no_hp_responden", "phone"),
        ("phone_number_2", "phone"),
        ("E-mail", "email"),
        ("alamat_email", "email"),
    ],
)
def test_exact_names_are_enough(name, kind):
    assert found(name, ["x1", "x2", "x3"]) == [kind]
    assert found(name, [101_112, 101_113, 101_114]) == [kind]
    assert found(name, list(range(21))) == [kind]
    assert found(name, ["12345", "12346"]) == [kind]


@pytest.mark.parametrize("name", ["nik", "hp", "has_phone", "alamat_sama", "nama_sama", "punya_hp"])
def test_answers_and_empty_columns_pass(name):
    assert found(name, [0, 1, 1]) == []
    assert found(name, [True, False, True]) == []
    assert found(name, ["Ya", "Tidak", None]) == []
    assert found(name, pd.Series([None, None], dtype="str")) == []
    assert found(name, [1, 5, 5], values={"1": "Ya", "5": "Tidak"}) == []


@pytest.mark.parametrize(
    "cells",
    [
        [1, 2, 2],
        [1, 5, 1],
        [0, 1, 2, 3],
        [2.0, 1.0, None],
        ["1", "5", "5"],
        ["setiap hari", "jarang", "tidak pernah"],
        ["sim 1", "sim 2"] * 4,
    ],
)
@pytest.mark.parametrize("name", ["phone", "hp", "whatsapp", "kk", "phones"])
def test_few_small_answers_under_an_exact_name_pass(name, cells):
    assert found(name, cells) == []


@pytest.mark.parametrize("name", ["nik", "hp", "email", "nama", "person_id"])
def test_synthetic_ids_and_pseudonyms_pass(name):
    assert found(name, [f"SYN-{i:06d}" for i in range(20)]) == []
    assert found(name, ["SYN-000001", "", None, "syn-000002"]) == []
    assert found(name, ["P-" + "abcdefghijklmnopqrstuvwx23"]) == []


def test_one_real_value_among_synthetic_ones_is_not_passed():
    assert found("nik", ["SYN-000001", NIKS[0]]) == ["nik"]


@pytest.mark.parametrize("lead", ["0812", "+62812", "62812"])
def test_phones_are_found_under_any_name(lead):
    assert found("q17", [lead + p[4:] for p in PHONES]) == ["phone"]


def test_phones_with_separators_are_found():
    assert found("q17", ["0812-3456-7001", "0813 3456 7002", "+62 857.3456.7003"]) == ["phone"]


def test_phones_that_lost_their_zero_are_found_where_a_name_or_label_says_phone():
    numbers = [int(p) for p in PHONES]
    assert found("kontak_1", numbers) == ["phone"]
    assert found("q17", numbers, label="Nomor HP responden") == ["phone"]
    assert found("sales", numbers) == []
    short = [811234567, 812345678]
    assert found("q17", short, label="No. telepon yang bisa dihubungi") == ["phone"]
    assert found("sales", short) == []


def test_a_label_alone_is_not_enough():
    assert found("q17", [1, 2, 9], label="Nomor HP responden") == []
    assert found("q18", ["Samsung", "Oppo"], label="Merek HP") == []


def test_one_phone_or_email_in_free_text_is_found():
    assert found("note", ["fine", "call 0812-3456-7001 after five", "no"]) == ["phone"]
    assert found("note", ["fine", "write to someone@example.org", "no"]) == ["email"]


def test_amounts_dates_and_serials_are_no_phones():
    frame = {
        "income": [1_500_000_000, 2_500_000, 81_234_567],
        "saved_at": [1_612_345_678, 1_612_345_679, 1_612_345_680],
        "day": ["2021-02-28", "2021-03-01", "2021-03-02T10:00:00"],
        "serial": ["PRK-0812345678", "PRK-0812345679", "PRK-0912345670"],
        "region": ["3201050001", "3201050002", "3201050003"],
    }
    assert kinds(frame) == {}


def test_names_need_values_that_look_like_people():
    assert found("nama", PEOPLE) == ["name"]
    assert found("respondent_name", PEOPLE) == ["name"]
    assert found("nama_ibu", PEOPLE) == ["name"]
    assert found("nama", ["A1", "B2", "C3"]) == []
    assert found("q3", PEOPLE[:5], label="Nama lengkap responden") == ["name"]
    question = "Please name the main reason why you chose this one"
    assert found("q4", ["cheap", "near my home", "my friends", "well known"], label=question) == []
    assert found("q4", PEOPLE, label=question) == ["name"]


@pytest.mark.parametrize(
    "name", ["nama_pelatihan", "course_name", "provider_name", "nama_kabupaten", "variable_name"]
)
def test_names_of_things_pass(name):
    assert found(name, ["Kota Bandung", "Kabupaten Bogor", "Sleman", "Gianyar"]) == []


def test_names_of_people_are_found_by_their_words():
    people = [f"{a} {b}" for a in ("Siti", "Budi", "Dewi") for b in ("Karya", "Jaya", "Sari")]
    assert found("q3", people) == ["name"]


def test_groups_that_repeat_over_many_rows_are_no_names():
    assert found("name", ["control", "treatment"] * 100) == []
    assert found("enumerator", ["Agus Salim", "Budi Utomo"] * 100) == ["name"]


def test_addresses_need_values_with_streets():
    assert found("alamat", STREETS) == ["address"]
    assert found("home_address", ["12 High Street", "4 Low Road", "Old Lane 7"]) == ["address"]
    assert found("q8", STREETS) == ["address"]
    assert found("alamat", ["desa", "kota"] * 30) == []
    assert (
        found("moda", ["jalan kaki 5 km", "ojek 3 km", "jalan kaki 2 km", "jalan kaki 1 km"]) == []
    )


def test_coordinates_need_both_columns_within_indonesia():
    lat, lon = [-6.2088, -7.2575, 3.5952], [106.8456, 112.7521, 98.6722]
    both = {"latitude": lat, "longitude": lon}
    assert kinds(both) == {"latitude": "coordinates", "longitude": "coordinates"}
    assert kinds({"gps_lat": map(str, lat), "gps_long": map(str, lon)}) == {
        "gps_lat": "coordinates",
        "gps_long": "coordinates",
    }
    assert kinds({"latitude": lat}) == {}
    assert kinds({"latitude": lat, "longitude": [2.35, 4.9, 13.4]}) == {}
    assert kinds({"lat": [1, 2, 3], "long": [100, 101, 102]}) == {}
    assert kinds({"kab_lat": lat, "kab_lon": lon}) == {}
    assert found("q9", ["-6.2088, 106.8456", "-7.2575, 112.7521"]) == ["coordinates"]


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("no_rekening", ["1234567890", "9876543210", "5550001112"], "account"),
        ("paspor", ["A1234567", "B7654321", "C0001112"], "document"),
        ("npwp", ["09.254.294.3-407.000", "09.254.294.4-407.000"], "document"),
        ("instagram", ["@batik_a", "@kopi.b", "@tenun_c"], "online"),
    ],
)
def test_other_identifiers_are_found_by_name_and_values(name, values, kind):
    assert found(name, values) == [kind]
    assert found(name, [0, 1, 0]) == []


def test_plain_hashes_of_a_nik_are_refused():
    digests = [f"{i:064x}" for i in range(3)]
    assert found("nik_hash", digests) == ["nik"]
    assert found("nik_hash", ["h1", "h2", "h3"]) == []
    assert found("file_hash", digests) == []


def test_value_labels_that_are_names_are_found():
    coded = {str(i): name for i, name in enumerate([*PEOPLE, "Joko Purnomo", "Sri Rahayu"], 1)}
    assert found("nama", list(range(1, 9)), values=coded) == ["name"]
    assert found("q3", [1], values={"1": "call 0812-3456-7001 now"}) == ["phone"]
    assert found("q3", [1, 2], values={"1": "Ya", "2": "Tidak"}) == []


def test_column_names_that_are_identifiers_are_found_and_not_shown():
    for name in ("081234567001", "income someone@example.org", f"y_{NIKS[0]}"):
        table = Table(pd.DataFrame({"id": ["SYN-1"], name: [1]}))
        assert [f.column for f in screen(table)] == ["column 2"]
        with pytest.raises(IdentifierError) as error:
            refuse_identifiers(table)
        assert "column 2" in str(error.value)
        assert name not in str(error.value)


def test_the_message_names_every_column_kind_and_remedy_with_counts():
    frame = pd.DataFrame({"nik": NIKS[:6], "nama": PEOPLE, "income": range(6), "alamat": STREETS})
    with pytest.raises(IdentifierError) as error:
        refuse_identifiers(Table(frame))
    message = str(error.value)
    for part in ("'nik'", "'nama'", "'alamat'", "NIK", "name of a person", "address", "6 cells"):
        assert part in message
    for part in ("ReadOptions(drop=", "[reading]", "--drop nik,nama,alamat", "pseudonymise"):
        assert part in message
    assert "income" not in message


@settings(max_examples=40, deadline=None)
@given(st.lists(niks(), min_size=3, max_size=10, unique=True))
def test_no_id_stands_in_the_message(values):
    frame = pd.DataFrame({"nik": values, "hp": PHONES[: len(values)], "catatan": values})
    with pytest.raises(IdentifierError) as error:
        refuse_identifiers(Table(frame))
    assert re.search(r"\d{6}", str(error.value)) is None


def test_a_clean_panel_passes():
    n = 200
    r = np.random.default_rng(3)
    frame = {
        "person_id": [f"{i:07d}" for i in range(n)],
        "hhid": np.arange(10**9, 10**9 + n),
        "province": np.array(["Jawa Barat", "DKI Jakarta", "Bali"])[r.integers(0, 3, n)],
        "kabupaten": np.array(["Kota Bandung", "Kabupaten Bogor"])[r.integers(0, 2, n)],
        "birth_date": pd.Series(pd.date_range("1980-01-01", periods=n)).dt.strftime("%Y-%m-%d"),
        "income": r.normal(3e6, 1e6, n),
        "assets": r.integers(0, 3 * 10**9, n),
        "course_name": np.array(["Barista Dasar", "Bahasa Inggris"])[r.integers(0, 2, n)],
        "bank": np.array(["BNI", "BCA", "OVO"])[r.integers(0, 3, n)],
        "wave": pd.Categorical(np.array(["baseline", "endline"])[r.integers(0, 2, n)]),
        "seen": pd.Series(pd.date_range("2021-01-01", periods=n)),
        "mixed": [1, "a"] * (n // 2),
        "nothing": [None] * n,
    }
    assert kinds(frame) == {}


def test_the_committed_public_data_pass():
    path = Path(__file__).parents[2] / "data" / "nsw" / "nsw_cps.csv"
    files = [path] if path.is_file() else sorted(path.parent.glob("*.csv"))
    assert files
    for file in files:
        assert screen(Table(pd.read_csv(file))) == ()


def test_read_panel_refuses_identifiers():
    frame = pd.DataFrame({"id": ["SYN-1", "SYN-2"], "hp": PHONES[:2], "income": [1.0, 2.0]})
    with pytest.raises(IdentifierError, match="phone number"):
        read_panel(frame, Roles(unit="id"))


def test_the_order_of_the_columns_is_kept():
    frame = pd.DataFrame({"email": ["a@example.org"], "x": [1], "nik": [NIKS[0]]})
    assert [f.column for f in screen(Table(frame))] == ["email", "nik"]


def test_every_word_of_the_lists_is_reachable():
    for kind, lists in words().kinds.items():
        for run in (*lists.exact, *lists.suspicious):
            if not any(set(run) >= set(i) for i in lists.innocent):
                assert kind in suggested("_".join(run)), run


@given(st.lists(st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.booleans())))
@settings(max_examples=60, deadline=None)
def test_any_cells_are_screened_without_another_error(values):
    for name in ("x", "nama", "hp"):
        screen(Table(pd.DataFrame({name: pd.Series(values, dtype=object)})))


RARE = ["Suparno", "Wagiman", "Tukiyem", "Parjo", "Marsinah", "Ngatiman", "Kasiyem", "Tumini"]
RARE_PEOPLE = [f"{a} {b}" for a in RARE for b in RARE]
VILLAGES = [
    "Suka Maju",
    "Sri Mulyo",
    "Putra Jaya",
    "Sidodadi",
    "Nur Harapan",
    "Sri Rahayu",
    "Hidayat Makmur",
    "Karang Anyar",
    "Wonosari",
    "Fajar Baru",
    "Mulya Sari",
]
COURSES = ["Digital Marketing", "Barista Dasar", "Menjahit Baju", "Tata Boga", "Desain Grafis"] * 4


@pytest.mark.parametrize(
    "name",
    [
        "nama_peserta_pelatihan",
        "nama_peserta_program",
        "nama_user",
        "nama_wave1",
        "nama_anggota_kelompok",
        "nama_pemilik_rekening_bank",
        "course_participant_name",
        "ibu",
        "kepala_keluarga",
        "responden",
        "nama_responden_2",
    ],
)
def test_a_word_beside_the_name_of_a_person_does_not_free_it(name):
    assert found(name, RARE_PEOPLE) == ["name"]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("nama_pelatihan_peserta", COURSES),
        ("participant_course_name", COURSES),
        ("nama_pelatihan", COURSES),
        ("nama_desa", VILLAGES),
        ("desa", VILLAGES),
        ("kelurahan", RARE_PEOPLE),
        ("q2", VILLAGES),
        ("peserta", ["Ya Tetap", "Tidak Lagi", "Belum Tahu"] * 20),
        ("ibu", ["Masih Hidup", "Sudah Meninggal"] * 40),
        ("ibu", ["Ibu Rumah Tangga", "Petani Padi", "Guru Honorer", "Buruh Tani"] * 20),
        ("pekerjaan_ibu", RARE_PEOPLE),
        ("nama_bank", ["Bank Rakyat", "Bank Jago", "Bank Aladin"] * 5),
    ],
)
def test_places_courses_and_answers_pass_under_names_of_their_own(name, cells):
    assert found(name, cells) == []


def test_names_of_people_with_digits_or_brackets_are_found():
    assert found("nama", [f"{a} {i}" for i, a in enumerate(RARE)]) == ["name"]
    assert found("nama", [f"{a} ({b})" for a, b in pairwise(RARE)]) == ["name"]
    assert found("name", [f"Product {i}" for i in range(60)]) == []


@pytest.mark.parametrize("tail", ["01", "-01", " 12", "0001"])
def test_niks_with_a_number_of_the_member_behind_are_found(tail):
    assert found("q17", [v + tail for v in NIKS]) in (["nik"], ["kk"])
    numbers = np.random.default_rng(5).integers(10**15, 10**16, 200).astype(str)
    assert found("q17", [n + tail for n in numbers]) == []


@pytest.mark.parametrize("written", ["NIK saya 320105.410390.0007", "nik: 3201 0541 0390 0007, ya"])
def test_a_nik_with_separators_in_a_sentence_is_found(written):
    assert found("komentar", ["baik", written]) == ["nik"]


OPERATORS = ["812", "813", "857", "878", "895", "821", "838", "881"]


def test_phones_of_several_operators_that_lost_their_zero_are_found():
    numbers = [int(f"{lead}34567{n}01") for n, lead in enumerate(OPERATORS * 2)]
    assert found("q5", numbers) == ["phone"]
    assert found("no_yg_dihubungi", numbers) == ["phone"]
    assert found("omzet", numbers) == []
    assert found("q5", [n // 1_000 * 1_000 for n in numbers]) == []


@pytest.mark.parametrize("between", ["/", ", ", " ; ", " dan "])
def test_two_phones_in_one_cell_are_found(between):
    assert found("q5", ["08123456701" + between + "08573456702", "-"]) == ["phone"]


def test_codes_of_areas_and_amounts_are_no_phones():
    villages = [6_281_000_000 + 10 * i for i in range(60)]
    assert found("iddesa", villages) == []
    assert found("q17", villages) == []
    assert found("nks", list(map(str, villages))) == []
    assert found("psu", [f"0812{i:06d}" for i in range(60)]) == []
    assert found("omzet", [62_810_000_001 + 1_234_567 * i for i in range(60)]) == []
    assert found("psu", [f"0{lead}3456{n:03d}" for n, lead in enumerate(OPERATORS)]) == ["phone"]
    assert found("idruta", [f"3201010001{i % 12 + 1:02d}{i + 1:04d}" for i in range(60)]) == []


@pytest.mark.parametrize(
    "cell",
    [
        "-6.2088123 106.8456123 0.0 0.0",
        "-6.2088123 106.8456123 12.5 4.2",
        "https://maps.google.com/?q=-6.2088123,106.8456123",
        "https://www.google.com/maps/@-6.2088123,106.8456123,17z",
        "6°12'31.7\"S 106°50'44.2\"E",
    ],
)
def test_points_links_to_maps_and_degrees_are_found(cell):
    assert found("lokasi", [cell, cell.replace("6.2", "6.3")]) == ["coordinates"]


def test_numbers_and_links_that_are_no_places_pass():
    assert found("q", ["https://example.org/a?x=1.5,2", "https://example.org/b"]) == []
    assert found("suhu", ["27°", "31°"]) == []
    assert found("uuid", [f"uuid:{i:08x}-0000-4000-8000-{i:012x}" for i in range(40)]) == []


@pytest.mark.parametrize("size", [16, 20, 32, 64])
def test_a_nik_hash_in_base64_is_refused(size):
    cells = [base64.b64encode(bytes([i] * size)).decode() for i in range(1, 4)]
    assert found("nik_hash", cells) == ["nik"]
    assert found("nik_hash", [cell.rstrip("=") for cell in cells]) == ["nik"]
    assert found("token", cells) == []


@pytest.mark.parametrize("method", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
def test_a_nik_hash_of_any_usual_length_is_refused(method):
    assert found("nik_hash", [hashlib.new(method, v.encode()).hexdigest() for v in NIKS]) == ["nik"]


def test_a_column_headed_by_a_person_is_not_named():
    frame = pd.DataFrame({"Budi Santoso": [*PEOPLE, "Siti Karya", "Dewi Jaya", "Agus Sari"]})
    with pytest.raises(IdentifierError, match="column 1") as error:
        refuse_identifiers(Table(frame))
    assert "Santoso" not in str(error.value)
