use super::*;

fn inventory(databases: &Databases) -> Inventory {
    databases.inventory()
}

fn dpkg(text: &str) -> Inventory {
    let dpkg = text.to_owned();
    inventory(&Databases {
        dpkg,
        os_release: "ID=debian\nVERSION_ID=\"12\"\n".to_owned(),
        ..Databases::default()
    })
}

fn lines(inventory: &Inventory) -> Vec<String> {
    let packages = inventory.packages.iter();
    packages
        .map(|package| purl::purl(package, &inventory.os))
        .collect()
}

#[test]
fn dpkg_lists_what_is_installed() {
    let found = dpkg(
        "Package: libstdc++6\nStatus: install ok installed\nArchitecture: amd64\n\
         Version: 12.2.0-14+deb12u1\nMaintainer: D <d@example.com>\nDescription: library\n more \
         text\n .\n Version: 9\nHomepage: http://gcc.gnu.org/\n\n\
         Package: gone\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n\n\n\
         package: Held\nstatus: hold ok installed\nversion: 1:2~rc1-1\narchitecture: all\n",
    );
    assert_eq!(found.skipped, 0);
    assert_eq!(
        lines(&found),
        [
            "pkg:deb/debian/held@1:2~rc1-1?arch=all&distro=debian-12",
            "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12",
        ]
    );
    let library = &found.packages[1];
    assert_eq!(library.description, "library");
    assert_eq!(library.homepage, "http://gcc.gnu.org/");
    assert_eq!(library.supplier, "D <d@example.com>");
}

#[test]
fn hostile_entries_are_counted_and_left_out() {
    let found = dpkg(
        "Package: \nVersion: 1\n\n\
         Package: no-version\n\n\
         Version: 2\n\n\
         no field at all\n\n\
         Package: a b\nVersion: 1\n\n\
         Package: ok\nVersion: 1\u{7}2\n\n\
         Package: ok\nVersion: 1\nDescription: a\u{1b}[31mred\n\n\
         Package: ok\nVersion: 1\n",
    );
    assert_eq!(found.skipped, 6);
    assert_eq!(lines(&found), ["pkg:deb/debian/ok@1?distro=debian-12"]);
    assert_eq!(found.packages[0].description, "a [31mred");
    let long = dpkg(&format!("Package: {}\nVersion: 1\n", "x".repeat(300)));
    assert_eq!((long.packages.len(), long.skipped), (0, 1));
    let wide = format!(
        "Package: a\nVersion: 1\nDescription: {}\n",
        "é".repeat(4000)
    );
    assert_eq!(dpkg(&wide).packages[0].description.len(), LONGEST_TEXT);
    assert_eq!(dpkg("\u{0}\u{0}\u{0}").skipped, 1);
    assert_eq!(dpkg(": : :\n:\n").skipped, 1);
}

#[test]
fn the_same_package_for_two_architectures_is_two() {
    let one = |architecture: &str| {
        format!("Package: libc6\nVersion: 2\nArchitecture: {architecture}\n\n")
    };
    let found = dpkg(&[one("i386"), one("amd64"), one("i386")].concat());
    assert_eq!(found.packages.len(), 2);
    assert_eq!(found.packages[0].architecture, "amd64");
}

#[test]
fn apk_lists_packages_with_their_licences() {
    let apk = "C:Q1=\nP:musl\nV:1.2.4_git20230717-r4\nA:x86_64\nS:1\nT:the musl c library (libc) \
               implementation\nU:https://musl.libc.org/\nL:MIT\no:musl\nm:T <t@example.com>\nF:lib\n\
               R:ld.so\na:0:0:755\n\nP:broken\n\n\n\nP:busybox\nV:1.36.1-r5\nA:x86_64\nL:GPL-2.0-only\n";
    let found = inventory(&Databases {
        apk: apk.to_owned(),
        os_release: "ID=alpine\nVERSION_ID=3.18.4\nPRETTY_NAME=\"Alpine Linux v3.18\"\n".to_owned(),
        ..Databases::default()
    });
    assert_eq!(found.skipped, 1);
    assert_eq!(
        lines(&found),
        [
            "pkg:apk/alpine/busybox@1.36.1-r5?arch=x86_64&distro=alpine-3.18.4",
            "pkg:apk/alpine/musl@1.2.4_git20230717-r4?arch=x86_64&distro=alpine-3.18.4",
        ]
    );
    assert_eq!(found.packages[1].license, "MIT");
    assert_eq!(found.os.pretty_name, "Alpine Linux v3.18");
}

#[test]
fn rpm_lists_lines_of_fields() {
    let line = |fields: [&str; 9]| fields.join("\t") + "\n";
    let rpm = [
        line([
            "bash", "(none)", "5.2.15", "3.fc38", "x86_64", "GPLv3+", "Fedora", "shell", "u",
        ]),
        line([
            "Shadow-utils",
            "2",
            "4.13",
            "6.fc38",
            "x86_64",
            "BSD",
            "(none)",
            "s",
            "(none)",
        ]),
        line([
            "gpg-pubkey",
            "(none)",
            "a",
            "b",
            "(none)",
            "pubkey",
            "(none)",
            "k",
            "(none)",
        ]),
        line(["odd", "x", "1", "1", "noarch", "", "", "", ""]),
        "not enough\tfields\n".to_owned(),
        line(["zero", "0", "1", "(none)", "noarch", "MIT", "", "", ""]),
    ];
    let found = inventory(&Databases {
        rpm: rpm.concat(),
        os_release: "ID='fedora'\nVERSION_ID=38\n".to_owned(),
        ..Databases::default()
    });
    assert_eq!(found.skipped, 2);
    assert_eq!(
        lines(&found),
        [
            "pkg:rpm/fedora/Shadow-utils@4.13-6.fc38?arch=x86_64&distro=fedora-38&epoch=2",
            "pkg:rpm/fedora/bash@5.2.15-3.fc38?arch=x86_64&distro=fedora-38",
            "pkg:rpm/fedora/zero@1?arch=noarch&distro=fedora-38",
        ]
    );
    assert_eq!(found.packages[1].license, "GPLv3+");
}

#[test]
fn pacman_lists_description_files() {
    let pacman = "%NAME%\nacl\n\n%VERSION%\n2.3.1-3\n\n%BASE%\nacl\n\n%DESC%\nlists\n\n%ARCH%\n\
                  x86_64\n\n%LICENSE%\nLGPL\nGPL\n\n%PACKAGER%\nC <c@example.com>\n\n\n%NAME%\n\n\
                  %VERSION%\n1\n\n%NAME%\nzlib\n\n%VERSION%\n1:1.3-1\n";
    let found = inventory(&Databases {
        pacman: pacman.to_owned(),
        ..Databases::default()
    });
    assert_eq!(found.skipped, 1);
    assert_eq!(
        lines(&found),
        [
            "pkg:alpm/arch/acl@2.3.1-3?arch=x86_64",
            "pkg:alpm/arch/zlib@1:1.3-1"
        ]
    );
    assert_eq!(found.packages[0].license, "LGPL AND GPL");
}

#[test]
fn the_operating_system_is_read_as_a_shell_reads_it() {
    let check = |text: &str, id: &str, version: &str, pretty: &str| {
        let found = OsRelease::read(text);
        assert_eq!(
            (found.id.as_str(), found.version_id.as_str()),
            (id, version),
            "{text}"
        );
        assert_eq!(found.pretty_name, pretty, "{text}");
    };
    check("", "", "", "");
    check(
        "# c\nNAME=x\nID=Debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"a \\\"b\\\"\"\n",
        "debian",
        "12",
        "a \"b\"",
    );
    check("ID='../evil'\nVERSION_ID=1/2?x\n", "..evil", "12x", "");
    check("ID=a\nID=b\n=\n==\nPRETTY_NAME=\"\n", "b", "", "\"");
}

#[test]
fn a_folder_is_read_and_links_out_of_it_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let place = |path: &str, text: &str| {
        let path = folder.path().join("root").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    std::fs::create_dir_all(folder.path().join("root")).unwrap();
    let root = folder.path().join("root");
    let error = root::read(&root).unwrap_err();
    assert!(error.message.contains("no package database"), "{error}");
    place("var/lib/rpm/rpmdb.sqlite", "");
    let error = root::read(&root).unwrap_err();
    assert!(error.message.contains("provisioner `sbom`"), "{error}");

    std::fs::write(folder.path().join("outside"), "Package: evil\nVersion: 1\n").unwrap();
    std::fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
    std::os::unix::fs::symlink(
        folder.path().join("outside"),
        root.join("var/lib/dpkg/status"),
    )
    .unwrap();
    assert!(root::read(&root).is_err());
    std::fs::remove_file(root.join("var/lib/dpkg/status")).unwrap();

    place("var/lib/dpkg/status", "Package: a\nVersion: 1\n");
    place("usr/lib/os-release", "ID=debian\n");
    place(
        "var/lib/pacman/local/b-1/desc",
        "%NAME%\nb\n\n%VERSION%\n1\n",
    );
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::os::unix::fs::symlink("../usr/lib/os-release", root.join("etc/os-release")).unwrap();
    let found = root::read(&root).unwrap().inventory();
    assert_eq!(found.os.id, "debian");
    assert_eq!(found.packages.len(), 2);
}
