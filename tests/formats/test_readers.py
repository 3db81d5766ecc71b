#!/usr/bin/env python3
"""Files that src/formats makes, read by programs that know nothing of it.

NumPy and zipfile read npz and npy, hyparquet (from npm) reads parquet, and tfrecord is read here from its definition.
"""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest
import zipfile

import numpy

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build/release"
TILE_BYTES = 64 * 1024


def setUpModule():
    global folder
    parent = pathlib.Path(os.environ.get("MLPS_TEST_TMP", BUILD / "test-data"))
    parent.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="formats-", dir=parent))
    unittest.addModuleCleanup(shutil.rmtree, folder)
    subprocess.run([os.environ.get("MLPS_WRITE_FILES", BUILD / "tests/write_files"), folder], check=True)


def files(extension):
    """(path, its bytes, the source's bytes, what it should hold) of each."""
    found = sorted(folder.glob(f"*.{extension}"))
    assert found, f"no {extension} was written"
    return [(path, path.read_bytes(), path.with_name(path.name + ".payload").read_bytes(),
             json.loads(path.with_name(path.name + ".json").read_text())) for path in found]


class Arrays(unittest.TestCase):
    def check_array(self, array, facts):
        self.assertEqual((facts["height"], facts["width"], facts["samples"]), array.shape)
        self.assertEqual(facts["element_type"], str(array.dtype))
        self.assertTrue(array.flags.c_contiguous)

    def test_npz_is_a_sound_zip_of_two_arrays(self):
        for path, content, payload, facts in files("npz"):
            with self.subTest(path.name):
                with zipfile.ZipFile(path) as archive:
                    self.assertIsNone(archive.testzip())
                    self.assertEqual(["x.npy", "y.npy"], archive.namelist())
                    for member in archive.infolist():
                        self.assertEqual((20, 0, zipfile.ZIP_STORED, b""),
                                         (member.extract_version, member.flag_bits, member.compress_type, member.extra))
                with numpy.load(path) as arrays:
                    x, y = arrays["x"], arrays["y"]
                self.check_array(x, facts)
                self.assertEqual(("int64", (facts["samples"],), 0), (str(y.dtype), y.shape, numpy.count_nonzero(y)))
                self.assertEqual(x.nbytes + 450 + 8 * facts["samples"], len(content))
                self.check_payload(x.tobytes(), payload[163:163 + x.nbytes])

    def test_npz_above_four_gib_is_found_by_its_zip64_fields(self):
        data_bytes = 65537 * 65536
        with zipfile.ZipFile(folder / "huge.zip64") as archive:  # the data itself is a hole
            x, y = archive.infolist()
            self.assertEqual(("x.npy", 128 + data_bytes, 128 + data_bytes), (x.filename, x.file_size, x.compress_size))
            self.assertEqual(55 + 128 + data_bytes, y.header_offset)
            with archive.open(x) as member:
                self.assertEqual((1, 0), numpy.lib.format.read_magic(member))
                self.assertEqual((65537, 65536, 1), numpy.lib.format.read_array_header_1_0(member)[0])
            with archive.open(y) as member:  # its CRC is checked
                numpy.testing.assert_array_equal([0], numpy.load(member))

    def check_payload(self, data, payload):
        """All payload, but for the last four bytes of each tile of the file."""
        found, wanted = (numpy.frombuffer(text, numpy.uint8) for text in (data, payload))
        end = 163 + len(data)
        for place in 163 + numpy.flatnonzero(found != wanted):
            self.assertTrue(place % TILE_BYTES >= TILE_BYTES - 4 or place >= end - 4, place)

    def test_npy_is_an_array_of_payload(self):
        for path, content, payload, facts in files("npy"):
            with self.subTest(path.name):
                array = numpy.load(path)
                self.check_array(array, facts)
                self.assertEqual(128 + array.nbytes, len(content))
                self.assertEqual(payload[128:], array.tobytes())

    def test_jpeg_is_payload(self):
        for _, content, payload, _ in files("jpeg"):
            self.assertEqual(payload, content)


def crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC32C = crc32c_table()


def masked_crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC32C[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def message(data):
    """A protobuf message's fields, all of them length-delimited: [(number, bytes)]."""
    fields, at = [], 0
    while at < len(data):
        key, at = varint(data, at)
        assert key & 7 == 2, f"wire type {key & 7}"
        length, at = varint(data, at)
        assert at + length <= len(data)
        fields.append((key >> 3, data[at:at + length]))
        at += length
    return fields


def only(fields, number):
    (found, content), = fields
    assert found == number, f"field {found}"
    return content


def features(example):
    """tf.train.Example's features: name -> (kind, content)."""
    found = {}
    for number, entry in message(only(message(example), 1)):
        assert number == 1
        pair = dict(message(entry))
        (kind, value), = message(pair[2])
        found[pair[1].decode()] = kind, only(message(value), 1)
    return found


class Records(unittest.TestCase):
    def test_records_are_examples(self):
        for path, content, payload, facts in files("tfrecord"):
            with self.subTest(path.name):
                at, index = 0, []
                while at < len(content):
                    length, crc = struct.unpack_from("<QI", content, at)
                    self.assertEqual(masked_crc32c(content[at:at + 8]), crc)
                    example = content[at + 12:at + 12 + length]
                    self.assertEqual(masked_crc32c(example), struct.unpack_from("<I", content, at + 12 + length)[0])
                    self.check_example(example, payload[at + 12:at + 12 + length], facts)
                    index.append(f"{at} {length + 16}\n")
                    at += length + 16
                self.assertEqual(facts["samples"], len(index))
                self.assertEqual(facts["index"], "".join(index))
                self.check_extents(index, facts)

    def check_example(self, example, payload, facts):
        fields = features(example)
        self.assertEqual({"image", "size"}, set(fields))
        kind, image = fields["image"]
        self.assertEqual((1, facts["height"] * facts["width"]), (kind, len(image)))
        at = example.index(image)
        self.assertEqual(payload[at:at + len(image)], image)
        kind, size = fields["size"]
        self.assertEqual((3, (len(image), len(size))), (kind, varint(size, 0)))

    def check_extents(self, index, facts):
        starts = {int(line.split()[0]): number for number, line in enumerate(index)}
        read = 0
        for extent in facts["extents"]:
            self.assertEqual(read, starts[extent["offset"]])
            read += extent["samples"]
        self.assertEqual(facts["samples"], read)


class Tables(unittest.TestCase):
    def test_hyparquet_reads_every_value(self):
        modules = self.node_modules()
        paths = [path for path, *_ in files("parquet")]
        done = subprocess.run(["node", modules / "read_parquet.js", *paths], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        for path, _, _, facts in files("parquet"):
            self.assertIn(f"{path}: {facts['samples']} rows", done.stdout)

    def node_modules(self):
        """A folder with what package-lock.json names, installed once, and the script beside it."""
        place = pathlib.Path(os.environ.get("MLPS_NODE_FOLDER", BUILD / "tests/node"))
        place.mkdir(parents=True, exist_ok=True)
        lock = (HERE / "package-lock.json").read_bytes()
        installed = place / "installed-lock.json"
        for name in ("package.json", "package-lock.json", "read_parquet.js"):
            shutil.copy(HERE / name, place)
        if not installed.exists() or installed.read_bytes() != lock:
            subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, check=True)
            installed.write_bytes(lock)
        return place


if __name__ == "__main__":
    unittest.main()
