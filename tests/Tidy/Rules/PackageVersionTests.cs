using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace LServe.Tests.Tidy;

/// <summary>One exact version of each package, in one place, so that every machine builds the same thing.</summary>
public class PackageVersionTests
{
    private static readonly Regex Exact = new(@"^\d+\.\d+\.\d+(\.\d+)?(-[\w.]+)?$");

    [Fact]
    public void EveryPackageHasOneExactVersion() =>
        Tree.AssertNone(Violations(Tree.Find("Directory.Packages.props").Text, Project.All), "Package versions:");

    [Theory]
    [InlineData("1.0.*")]
    [InlineData("[1.0.0,2.0.0)")]
    [InlineData("1.0")]
    public void AVagueVersionIsSeen(string version) =>
        Assert.Single(Violations($"""<Project><ItemGroup><PackageVersion Include="A" Version="{version}" /></ItemGroup></Project>""", [WithA]));

    [Fact]
    public void APackageWithoutAVersionIsSeen() => Assert.Equal(["src/B/B.csproj: A has no version in Directory.Packages.props"], Violations("<Project />", [WithA]));

    private static Project WithA => Project.Parse("src/B/B.csproj", """<Project><ItemGroup><PackageReference Include="A" /></ItemGroup></Project>""");

    private static IEnumerable<string> Violations(string props, IReadOnlyList<Project> projects)
    {
        var root = XDocument.Parse(props).Root!;
        var properties = root.Descendants("PropertyGroup").Elements().ToDictionary(element => $"$({element.Name.LocalName})", element => element.Value);
        var versions = root.Descendants("PackageVersion").ToDictionary(item => item.Attribute("Include")!.Value, item => item.Attribute("Version")!.Value);
        foreach (var (name, version) in versions)
            if (!Exact.IsMatch(properties.GetValueOrDefault(version, version)))
                yield return $"{name}: '{version}' is no exact version";
        foreach (var project in projects)
        {
            foreach (var package in project.Packages.Where(package => !versions.ContainsKey(package)))
                yield return $"{project.Path}: {package} has no version in Directory.Packages.props";
            foreach (var package in project.OwnVersions)
                yield return $"{project.Path}: {package} names a version of its own";
        }
    }
}
