namespace LServe.Tests.Tidy;

/// <summary>Which project may reference which. A new edge is a decision about the architecture: change it here and in ARCHITECTURE.md.</summary>
public class DependencyTableTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["src/Contracts"] = [],
        ["src/Model"] = [],
        ["src/Engine"] = ["src/Model"],
        ["src/Cpu"] = ["src/Engine", "src/Model"],
        ["src/Cuda"] = ["src/Engine", "src/Model"],
        ["src/Sessions"] = ["src/Engine", "src/Model", "src/Contracts"],
        ["src/Embedded"] = ["src/Sessions"],
        ["src/Stores.Local"] = ["src/Sessions"],
        ["src/Stores.AzureBlob"] = ["src/Sessions"],
        ["src/Grains"] = ["src/Sessions", "src/Grains/Abstractions"],
        ["src/Grains/Abstractions"] = ["src/Contracts"],
        ["src/Api"] = ["src/Sessions", "src/Contracts"],
        ["src/Client/Sdk"] = ["src/Contracts", "src/Grains/Abstractions"],
        ["src/Client/Cli"] = ["src/Client/Sdk", "src/Embedded", "src/Cpu", "src/Cuda", "src/Stores.Local"],
        ["src/Silo"] = ["src/Api", "src/Embedded", "src/Grains", "src/Cpu", "src/Cuda", "src/Stores.Local", "src/Stores.AzureBlob"],
    };

    private static readonly string[] AllowedForBenchmarks = ["src/Embedded", "src/Grains", "src/Cpu", "src/Cuda", "src/Client/Sdk", "src/Stores.Local"];

    [Fact]
    public void EveryReferenceIsInTheTable() => Tree.AssertNone(Project.All.SelectMany(Violations), "References the dependency table doesn't have:");

    [Fact]
    public void EveryProjectUnderSrcIsInTheTable() =>
        Assert.Equal(Allowed.Keys.Order(StringComparer.Ordinal), Project.All.Select(p => p.Folder).Where(f => f.StartsWith("src/")).Order(StringComparer.Ordinal));

    [Fact]
    public void AReferenceAgainstTheDirectionIsSeen()
    {
        var upward = Project.Parse("src/Engine/LServe.Engine.csproj", """<Project><ItemGroup><ProjectReference Include="..\Sessions\LServe.Sessions.csproj" /></ItemGroup></Project>""");
        Assert.Equal(["src/Engine/LServe.Engine.csproj references src/Sessions"], Violations(upward));
    }

    private static IEnumerable<string> Violations(Project project)
    {
        if (project.Folder.StartsWith("tests/")) yield break;
        var allowed = project.Folder.StartsWith("src/") ? Allowed.GetValueOrDefault(project.Folder, []) : AllowedForBenchmarks;
        foreach (var reference in project.References.Except(allowed).Where(reference => reference.StartsWith("src/")))
            yield return $"{project.Path} references {reference}";
    }
}
