using System.Xml.Linq;

namespace LServe.Tests.Tidy;

/// <summary>What a <c>.csproj</c> file says.</summary>
/// <param name="Folder">Where it stands, from the root, such as <c>src/Client/Sdk</c>.</param>
/// <param name="References">Folders of the projects it references.</param>
public sealed record Project(
    string Path, string Folder, string Sdk, IReadOnlyList<string> References, IReadOnlyList<string> Packages,
    IReadOnlyList<string> Frameworks, IReadOnlyList<string> OwnVersions)
{
    public static IReadOnlyList<Project> All { get; } = [.. Tree.Files.Where(file => file.Kind == ".csproj").Select(file => Parse(file.Path, file.Text))];

    public static Project Parse(string path, string xml)
    {
        var root = XDocument.Parse(xml).Root!;
        var folder = System.IO.Path.GetDirectoryName(path)!.Replace('\\', '/');
        return new(path, folder, root.Attribute("Sdk")?.Value ?? "",
            [.. Includes("ProjectReference").Select(include => FolderOf(folder, include))],
            [.. Includes("PackageReference")],
            [.. Includes("FrameworkReference")],
            [.. root.Descendants("PackageReference").Where(item => item.Attribute("Version") is not null).Select(item => item.Attribute("Include")!.Value)]);

        IEnumerable<string> Includes(string item) => root.Descendants(item).Select(element => element.Attribute("Include")?.Value).OfType<string>();
    }

    private static string FolderOf(string from, string include)
    {
        var parts = from.Split('/').ToList();
        foreach (var part in include.Replace('\\', '/').Split('/').SkipLast(1))
            if (part == "..") parts.RemoveAt(parts.Count - 1);
            else if (part != ".") parts.Add(part);
        return string.Join('/', parts);
    }
}
